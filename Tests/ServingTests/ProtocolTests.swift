import JSONText
import Serving
import TestSupport
import Testing

@Suite("OpenAI's protocol", .serialized)
struct ProtocolTests {
    private static let hello: JSON = ["messages": [["role": "user", "content": "Hi"]]]
    private static let chatPath = "/v1/chat/completions"
    private static let textPath = "/v1/completions"

    @Test("a chat is rendered, answered and counted")
    func chat() throws {
        let server = try TestServer()
        let answer = try server.json(Self.chatPath, Self.hello)
        #expect(answer["object"] == "chat.completion" && answer["model"] == "tiny" && answer["created"]?.integer != nil)
        #expect(answer["id"]?.string?.hasPrefix("chatcmpl-") == true)
        let choice = try #require(answer["choices"]?[0])
        #expect(choice["message"] == ["role": "assistant", "content": "Hello", "refusal": nil])
        #expect(choice["finish_reason"] == "stop" && choice["index"] == 0 && choice["logprobs"] == .null)
        // <|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n, and five letters with their end.
        #expect(answer["usage"] == ["prompt_tokens": 21, "completion_tokens": 6, "total_tokens": 27])
        let order = try #require(server.engine.orders.first)
        #expect(order.prompt.first == TinyTokenizer.start && order.maxNewTokens == 60 && order.temperature == 1)
    }

    @Test("parts of text are lines, tools and further variables reach the template, its refusal is a sentence")
    func content() throws {
        let template = """
            {% if messages[0]['role'] == 'x' %}{{ raise_exception('no x') }}{% endif %}{{ messages[0]['content'] }}\
            {% if tools %}T{{ tools[0]['name'] }}{% endif %}{{ extra }}
            """
        let server = try TestServer(chatTemplate: template)
        let parts: JSON = [["type": "text", "text": "a"], ["type": "text", "text": "b"]]
        _ = try server.json(
            Self.chatPath,
            [
                "messages": [["role": "user", "content": parts]], "tools": [["name": "n"]],
                "chat_template_kwargs": ["extra": "E"],
            ]
        )
        #expect(server.engine.orders.last?.prompt == "a\nbTnE".utf8.map(Int.init))
        let refusal = try server.json(Self.chatPath, ["messages": [["role": "x", "content": "a"]]])
        #expect(refusal["error"]?["message"] == "the chat template refuses the messages: no x")
        let image: JSON = [["type": "image_url", "image_url": ["url": "data:"]]]
        let refused = try server.json(Self.chatPath, ["messages": [["role": "user", "content": image]]])
        #expect(refused["error"]?["param"] == "messages[0].content")
        let none = try TestServer(chatTemplate: nil)
        let answer = try none.ask("POST", Self.chatPath, Self.hello.serialized())
        #expect(answer.status == 400 && answer.body.contains("has no chat template"))
    }

    @Test("a stream has the role, the text in pieces, the reason, the usage and an end")
    func stream() throws {
        let server = try TestServer("Héj")
        let request = Self.hello.object.map { object -> JSON in
            var object = object
            object["stream"] = true
            object["stream_options"] = ["include_usage": true]
            return .object(object)
        }
        let events = try server.events(Self.chatPath, try #require(request))
        #expect(events.last == "[DONE]")
        let chunks = try events.dropLast().map { try JSON(parsing: $0) }
        #expect(chunks.allSatisfy { $0["object"] == "chat.completion.chunk" && $0["id"] == chunks[0]["id"] })
        let deltas = chunks.dropLast().map { $0["choices"]?[0]?["delta"] }
        #expect(deltas.first??["role"] == "assistant")
        // The two bytes of é come together.
        #expect(deltas.dropFirst().dropLast().map { $0?["content"] } == ["H", "é", "j"])
        #expect(deltas.last == .some([:]) && chunks[chunks.count - 2]["choices"]?[0]?["finish_reason"] == "stop")
        #expect(chunks.last?["choices"] == [] && chunks.last?["usage"]?["completion_tokens"] == 5)
        #expect(chunks.dropLast().allSatisfy { $0["usage"] == .null })
    }

    @Test("prompts of every form, several at once, each with its choices in order")
    func prompts() throws {
        let server = try TestServer("xyz")
        let lists: JSON = ["prompt": [[97, 98], [256]], "n": 2, "max_tokens": 2, "seed": 5, "echo": true]
        let answer = try server.json(Self.textPath, lists)
        let choices = answer["choices"]?.array ?? []
        #expect(choices.map { $0["text"] } == ["abxy", "abxy", "abxy", "abxy"])
        #expect(choices.map { $0["index"] } == [0, 1, 2, 3])
        #expect(choices.allSatisfy { $0["finish_reason"] == "length" })
        #expect(answer["usage"] == ["prompt_tokens": 3, "completion_tokens": 8, "total_tokens": 11])
        #expect(server.engine.orders.map(\.number) == [0, 1, 0, 1] && server.engine.orders.allSatisfy { $0.seed == 5 })
        _ = try server.json(Self.textPath, ["prompt": ["a", "<s>a"]])
        let expected = [[TinyTokenizer.begin, 97], [TinyTokenizer.begin, 97]]
        #expect(server.engine.orders.suffix(2).map(\.prompt) == expected)
        #expect(server.engine.orders.last?.maxNewTokens == 16)
    }

    @Test("log-probabilities of chat and of completions")
    func logProbabilities() throws {
        let server = try TestServer("ab")
        var request = try #require(Self.hello.object)
        request["logprobs"] = true
        request["top_logprobs"] = 2
        let content = try server.json(Self.chatPath, .object(request))["choices"]?[0]?["logprobs"]?["content"]
        #expect(content?.array?.count == 2)
        #expect(content?[1]?["token"] == "b" && content?[1]?["logprob"] == -0.98 && content?[1]?["bytes"] == [98])
        #expect(content?[1]?["top_logprobs"]?.array?.map { $0["token"] } == ["a", "b"])
        let completion: JSON = ["prompt": "zé", "logprobs": 1, "echo": true]
        let scores = try server.json(Self.textPath, completion)["choices"]?[0]?["logprobs"]
        #expect(scores?["tokens"] == ["<s>", "z", "\u{FFFD}", "\u{FFFD}", "a", "b", "</s>"])
        #expect(scores?["token_logprobs"]?.array?.first == .null && scores?["top_logprobs"]?[0] == .null)
        #expect(scores?["token_logprobs"]?[5] == -0.98 && scores?["top_logprobs"]?[5] == ["a": -0.97, "b": -0.98])
        // The stop token is scored and is no part of the text.
        #expect(scores?["text_offset"] == [0, 0, 1, 1, 2, 3, 4] && scores?["token_logprobs"]?[6] == -2.58)
        let alone: JSON = ["prompt": "z", "logprobs": 0, "echo": true, "max_tokens": 0]
        let prompt = try server.json(Self.textPath, alone)
        #expect(prompt["choices"]?[0]?["text"] == "z" && prompt["choices"]?[0]?["finish_reason"] == "length")
        #expect(prompt["choices"]?[0]?["logprobs"]?["tokens"] == ["<s>", "z"])
    }

    @Test("what cannot come, and what a broken model says, is still JSON; rewards that are no numbers are a fault")
    func infinities() throws {
        let server = try TestServer(fixedScore: -.infinity)
        let body = try server.ask("POST", Self.textPath, #"{"prompt":"z","logprobs":1}"#).body
        #expect(try JSON(parsing: body)["choices"]?[0]?["logprobs"]?["token_logprobs"]?[0] == -9999.0)
        let reward = try server.ask("POST", "/get_reward", #"{"query":["a","b"]}"#)
        #expect(reward.status == 500 && reward.body.contains("text 1"))
    }

    @Test("without a number of tokens an answer takes what room there is, and scored prompts have a bound")
    func room() throws {
        let server = try TestServer()
        let long = String(repeating: "x", count: 94)
        #expect(try server.json(Self.textPath, ["prompt": .string(long)])["choices"] != nil)
        #expect(server.engine.orders.last?.maxNewTokens == 5)
        let full = try server.json(Self.textPath, ["prompt": .string(long + "xxxxxx")])
        #expect(full["error"]?["code"] == "context_length_exceeded")
        let wide = try TestServer(contextLength: 1000)
        var echo = JSONObject()
        echo["prompt"] = .array(Array(repeating: .string(String(repeating: "x", count: 800)), count: 64))
        for (member, value) in [("echo", true), ("n", 2), ("max_tokens", 1), ("logprobs", 20)] as [(String, JSON)] {
            echo[member] = value
        }
        let refused = try wide.json(Self.textPath, .object(echo))
        // 128 choices of 801 tokens, each with 20 others.
        #expect(refused["error"]?["message"]?.string?.contains("2153088 log-probabilities") == true)
        #expect(refused["error"]?["param"] == "echo" && wide.engine.orders.isEmpty)
        echo["logprobs"] = 1
        #expect(try wide.json(Self.textPath, .object(echo))["choices"]?.array?.count == 128)
    }

    @Test("stop texts cut, and stop the engine; special tokens stop by their ids")
    func stops() throws {
        let server = try TestServer("abcdef")
        let answer = try server.json(Self.textPath, ["prompt": "p", "stop": ["cd", "<|im_end|>"]])
        #expect(answer["choices"]?[0]?["text"] == "ab" && answer["choices"]?[0]?["finish_reason"] == "stop")
        #expect(server.engine.orders[0].stopTokens == [TinyTokenizer.end, TinyTokenizer.stop])
        #expect(answer["usage"]?["completion_tokens"] == 4 && server.engine.leaveCount == 1)
    }

    @Test("what is sampled by is read; zero degrees are greedy")
    func sampling() throws {
        let server = try TestServer()
        let request: JSON = [
            "prompt": "p", "temperature": 0, "top_p": 0.5, "top_k": 3, "min_tokens": 2, "max_completion_tokens": 9,
            "seed": -1, "user": "u", "metadata": ["a": "b"], "store": true, "presence_penalty": 0, "logit_bias": nil,
            "stop_token_ids": [], "include_stop_str_in_output": false,
            "model": "tiny",
        ]
        #expect(try server.json(Self.textPath, request)["choices"] != nil)
        let order = try #require(server.engine.orders.first)
        #expect(order.temperature == 0 && order.topP == 0.5 && order.topK == 3 && order.minNewTokens == 2)
        #expect(order.maxNewTokens == 9 && order.seed == .max && order.alternatives == nil)
    }

    static let refused: [(members: String, parameter: String, mention: String)] = [
        (#""logit_bias":{"5":1}"#, "logit_bias", "not supported"),
        (#""frequency_penalty":0.5"#, "frequency_penalty", "not supported"),
        (#""response_format":{"type":"json_object"}"#, "response_format", "not supported"),
        (#""min_p":0.1"#, "min_p", "not supported"), (#""sead":1"#, "sead", "not known"),
        (#""temperature":-1"#, "temperature", "from 0.0 to 2.0"), (#""temperature":"hot""#, "temperature", "\"hot\""),
        (#""temperature":1e-5"#, "temperature", "0.001"), (#""top_p":0"#, "top_p", "more than 0"),
        (#""n":0"#, "n", "from 1 to 128"), (#""n":1000000000000"#, "n", "from 1 to 128"), (#""n":1.5"#, "n", "integer"),
        (#""best_of":3"#, "best_of", "not supported"), (#""max_tokens":-1"#, "max_tokens", "from 0"),
        (#""max_tokens":0"#, "max_tokens", "'max_tokens'"), (#""max_tokens":61"#, "max_tokens", "at most 60"),
        (#""max_tokens":3,"max_completion_tokens":4"#, "max_tokens", "give one"),
        (#""stop":["a","b","c","d","e"]"#, "stop", "up to 4"), (#""stop":"""#, "stop", "1 to 1000"),
        (#""stop":[1]"#, "stop", "list"), (#""stream":"yes""#, "stream", "true or false"),
        (#""stream_options":{"include_usage":true}"#, "stream_options", "goes with"),
        (#""seed":"x""#, "seed", "integer"), (#""min_tokens":70"#, "min_tokens", "the most"),
        (#""user":"u","top_k":-2"#, "top_k", "from -1"),
    ]

    @Test("what is not done is refused by its name", arguments: refused)
    func refusals(members: String, parameter: String, mention: String) throws {
        let server = try TestServer()
        for (path, body) in [
            (Self.chatPath, #"{"messages":[{"role":"user","content":"Hi"}],\#(members)}"#),
            (Self.textPath, #"{"prompt":"Hi",\#(members)}"#),
        ] {
            let answer = try server.ask("POST", path, body)
            let error = try JSON(parsing: answer.body)["error"]
            #expect(answer.status == 400 && error?["type"] == "invalid_request_error")
            #expect(error?["param"] == .string(parameter), "\(answer.body)")
            #expect(error?["message"]?.string?.contains(mention) == true, "\(answer.body)")
        }
        #expect(server.engine.orders.isEmpty)
    }

    @Test(
        "prompts and messages that are none",
        arguments: [
            (textPath, "{}", "'prompt'"), (textPath, #"{"prompt":[]}"#, "'prompt'"),
            (textPath, #"{"prompt":[1,"a"]}"#, "'prompt'"), (textPath, #"{"prompt":[999]}"#, "261"),
            (textPath, #"{"prompt":[-1]}"#, "261"), (textPath, #"{"prompt":[[]]}"#, "no tokens"),
            (textPath, #"{"prompt":{"a":1}}"#, "'prompt'"), (chatPath, "{}", "'messages'"),
            (chatPath, #"{"messages":[]}"#, "'messages'"), (chatPath, #"{"messages":["a"]}"#, "messages[0]"),
            (chatPath, #"{"messages":[{"content":"a"}]}"#, "'role'"), (chatPath, #"{"messages":"a"}"#, "'messages'"),
            (chatPath, #"{"messages":[{"role":"user","content":5}]}"#, "messages[0].content"),
            (chatPath, #"{"messages":[{"role":"user","content":"a"}],"tool_choice":"required"}"#, "tool_choice"),
            (chatPath, #"{"messages":[{"role":"user","content":"a"}],"top_logprobs":3}"#, "top_logprobs"),
            ("/get_reward", "{}", "'query'"), ("/get_reward", #"{"query":[1]}"#, "'query'"),
        ]
    )
    func shapes(path: String, body: String, mention: String) throws {
        let answer = try TestServer().ask("POST", path, body)
        #expect(answer.status == 400 && answer.body.contains(mention), "\(answer.body)")
    }

    @Test("rewards are those of OpenRLHF's protocol: ends are cut off, one is put on")
    func rewards() throws {
        let server = try TestServer()
        let query: JSON = [
            "query": ["<s>abc</s></s>", "c", ""], "prompts": ["<s>", "", ""], "labels": ["x", "y", "z"],
        ]
        let answer = try server.json("/get_reward", query)
        #expect(answer["rewards"] == [4.0, 2.0, 1.0] && answer["scores"] == [4.0, 2.0, 1.0])
        #expect(try server.json("/get_reward", ["query": []])["rewards"] == [])
        let long = try server.json("/get_reward", ["query": [.string(String(repeating: "x", count: 50))]])
        #expect(long["error"]?["message"]?.string?.contains("51 tokens") == true)
    }

    @Test("models are listed and found")
    func models() throws {
        let server = try TestServer()
        let list = try JSON(parsing: server.ask("GET", "/v1/models").body)
        #expect(list["data"]?.array?.map { $0["id"] } == ["tiny", "judge"])
        #expect(try server.ask("GET", "/v1/models/tiny").status == 200)
        #expect(try server.ask("GET", "/v1/models/%74iny?x=1").status == 200)
        #expect(try server.ask("GET", "/v1/models/other").status == 404)
        #expect(try server.ask("GET", "/health").body == #"{"status":"ok"}"#)
        let other = try server.json(Self.textPath, ["prompt": "a", "model": "gpt"])
        #expect(other["error"]?["code"] == "model_not_found")
    }
}
