import JSONText

/// The members of a request's body, each of which is read, known to change nothing, or refused by its name.
struct RequestFields {
    private let object: JSONObject
    private var isRead: Set<String> = []

    /// Reads a body.
    ///
    /// - Throws: ``APIError`` where it is no JSON object.
    init(_ body: [UInt8]) throws(APIError) {
        let json: JSON
        do {
            json = try JSON(parsing: body, options: JSONParsingOptions(depthLimit: 64))
        } catch {
            throw .invalid("the body is no JSON: \(error)", code: "bad_json")
        }
        guard let object = json.object else { throw .invalid("the body must be a JSON object, and is \(json.kind)") }
        self.object = object
    }

    /// A member's value; null is as good as none.
    mutating func value(_ key: String) -> JSON? {
        isRead.insert(key)
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    mutating func integer(_ key: String, in range: ClosedRange<Int>) throws(APIError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let integer = value.integer ?? value.number.flatMap(Int.init(exactly:)), range.contains(integer) else {
            throw wrong(key, value, "an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    mutating func number(_ key: String, in range: ClosedRange<Double>) throws(APIError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.number, range.contains(number) else {
            throw wrong(key, value, "a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func bool(_ key: String) throws(APIError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let bool = value.bool else { throw wrong(key, value, "true or false") }
        return bool
    }

    mutating func string(_ key: String) throws(APIError) -> String? {
        guard let value = value(key) else { return nil }
        guard let string = value.string else { throw wrong(key, value, "a string") }
        return string
    }

    func wrong(_ key: String, _ value: JSON, _ expected: String) -> APIError {
        // A long value is named by its kind alone.
        let text = value.serialized()
        let shown = text.utf8.count <= 40 ? text : value.kind
        return .invalid("'\(key)' must be \(expected), and is \(shown)", key)
    }

    /// Members that say nothing about the text.
    private static let harmless: Set<String> = [
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "parallel_tool_calls",
    ]

    /// Members of OpenAI's and vLLM's servers that this one does not have, with the value that asks for nothing.
    private static let neutral: [String: JSON] = [
        "presence_penalty": 0, "frequency_penalty": 0, "repetition_penalty": 1, "min_p": 0, "logit_bias": [:],
        "length_penalty": 1, "use_beam_search": false, "suffix": "", "modalities": ["text"],
        "response_format": ["type": "text"], "echo": false, "ignore_eos": false, "skip_special_tokens": true,
        "add_generation_prompt": true, "continue_final_message": false, "functions": [], "function_call": "none",
        "audio": nil, "reasoning_effort": nil, "verbosity": nil, "web_search_options": nil, "prediction": nil,
        "stop_token_ids": [], "include_stop_str_in_output": false, "spaces_between_special_tokens": true,
        "bad_words": [], "guided_json": nil, "guided_regex": nil, "guided_choice": nil, "structured_outputs": nil,
    ]

    /// Throws where a member was not read and would change the text if it were.
    func finish() throws(APIError) {
        for (key, value) in object.members where !isRead.contains(key) && !Self.harmless.contains(key) {
            if value.isNull { continue }
            guard let nothing = Self.neutral[key] else {
                throw .invalid(
                    "'\(key.prefix(100))' is not known here",
                    String(key.prefix(100)),
                    code: "unknown_parameter"
                )
            }
            let isNeutral = value == nothing || (value.number != nil && value.number == nothing.number)
            if !isNeutral {
                throw .invalid("'\(key)' is not supported; leave it out", key, code: "unsupported_parameter")
            }
        }
    }
}
