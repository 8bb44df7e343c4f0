import Foundation
import JSONText
import TestSupport
import Testing

@Suite("rto serve")
struct ServeTests {
    private static let completions = "/v1/completions"
    private static let chat = "/v1/chat/completions"

    /// Requests that differ in everything that decides what is sampled.
    private static func request(_ number: Int) -> (path: String, body: JSON) {
        var body: JSON = [
            "seed": .integer(number), "max_tokens": .integer(5 + number % 40),
            "temperature": .number(Double(number % 4) / 2),
            "logprobs": .integer(2),
        ]
        if number % 3 == 0 { body = body.with("top_p", 0.9) }
        if number % 5 == 0 { body = body.with("n", 2) }
        let text = JSON.string(String(repeating: "word \(number % 7) ", count: 1 + number % 9))
        guard number % 2 == 0 else { return (completions, body.with("prompt", text)) }
        let messages: JSON = [["role": "user", "content": text]]
        return (chat, body.with("messages", messages).with("logprobs", true).with("top_logprobs", 1))
    }

    /// What of an answer does not depend on when it was asked for.
    private static func content(_ answer: JSON?) -> JSON? { answer?["choices"] }

    @Test("64 requests at once: none is lost, and each is what it is alone")
    func load() throws {
        let program = try ServedProgram("--model model --max-concurrent 24", in: ServedProgram.models())
        let requests = (0..<64).map(Self.request)
        let together = try program.answers(requests)
        #expect(together.count { $0 != nil } == 64)
        for (number, request) in requests.enumerated() {
            let alone = try program.answer(request.path, request.body)
            #expect(Self.content(alone) == Self.content(together[number]), "request \(number)")
            #expect(alone["usage"] == together[number]?["usage"])
        }
        #expect(program.logs(" 200 ", times: 128))
        #expect(program.end() == 0)
    }

    @Test("those beyond the queue are told to come again, and nobody else is lost")
    func queue() throws {
        let program = try ServedProgram("--model model --max-concurrent 2 --max-waiting 3", in: ServedProgram.models())
        let body: JSON = ["prompt": "a", "max_tokens": 600, "temperature": 0]
        let answers = try program.answers((0..<24).map { _ in (Self.completions, body) })
        let served = answers.compactMap(\.self)
        #expect(served.count >= 5 && program.logs(" 503 ", times: 24 - served.count))
        #expect(served.allSatisfy { $0["choices"] == served[0]["choices"] })
        #expect(try program.answer(Self.completions, body)["choices"] == served[0]["choices"])
    }

    @Test("the answers are those of rto generate, and the scores those of rto score")
    func otherCommands() throws {
        let directory = try ServedProgram.models()
        let program = try ServedProgram("--model model", in: directory)
        try directory.write(
            "prompts.jsonl",
            #"{"prompt":"Once upon"}"# + "\n" + #"{"messages":[{"role":"user","content":"hi"}]}"#
        )
        let generate =
            "$RTO generate --model model --data prompts.jsonl --seed 9 --max-new-tokens 30 --log-probabilities --device cpu "
            + "--threads 1 2> log | $RTO score --model model --device cpu --threads 1 > scored.jsonl 2>> log"
        #expect(try directory.run(generate) == 0)
        let rows = try String(contentsOf: directory.url.appending(path: "scored.jsonl"), encoding: .utf8)
            .split(separator: "\n").map { try JSON(parsing: Array($0.utf8)) }
        try #require(rows.count == 2)
        // The second row of a file is the sequence of number 1, here choice 1.
        let first = try program.answer(
            Self.completions,
            ["prompt": "Once upon", "seed": 9, "max_tokens": 30, "logprobs": 0, "echo": true]
        )
        let second = try program.answer(
            Self.chat,
            [
                "messages": [["role": "user", "content": "hi"]], "seed": 9, "max_tokens": 30, "n": 2, "logprobs": true,
            ]
        )
        #expect(first["choices"]?[0]?["text"]?.string == "Once upon" + (rows[0]["completion"]?.string ?? "-"))
        #expect(second["choices"]?[1]?["message"]?["content"] == rows[1]["completion"])
        let promptCount = rows[1]["prompt_ids"]?.array?.count ?? 0
        let found = [
            first["choices"]?[0]?["logprobs"]?["token_logprobs"]?.array?.map(\.number) ?? [],
            second["choices"]?[1]?["logprobs"]?["content"]?.array?.map { $0["logprob"]?.number } ?? [],
        ]
        let expected = try rows.map { try #require($0["log_probabilities"]?.array?.map(\.number)) }
        for (found, expected) in [(found[0], expected[0][...]), (found[1], expected[1][promptCount...])] {
            // A stop token is sampled, and is no part of the answer.
            #expect(found.count >= expected.count - 1 && found.count <= expected.count && found.count > 5)
            for (one, other) in zip(found, expected) {
                #expect((one == nil) == (other == nil) && abs((one ?? 0) - (other ?? 0)) < 1e-4)
            }
        }
    }

    @Test("a signal ends what runs and nothing else; a second one ends at once")
    func signals() throws {
        let body = #"{"prompt":"a","max_tokens":3000,"temperature":0,"min_tokens":3000,"stream":true}"#
        for isImpatient in [false, true] {
            let program = try ServedProgram("--model model", in: ServedProgram.models())
            let client = try SocketClient(port: program.port)
            client.send(SocketClient.request("POST", Self.completions, body: body))
            _ = client.read(until: "\"text\"")
            kill(program.process.processIdentifier, SIGINT)
            while !program.log.contains("stopping"), program.process.isRunning { usleep(5000) }
            if isImpatient {
                #expect(program.end(SIGTERM) == 143)
            } else {
                #expect(client.read().contains("[DONE]"))
                program.process.waitUntilExit()
                #expect(program.process.terminationStatus == 0 && program.process.terminationReason == .exit)
                #expect(program.log.contains(" 200 ") && program.log.contains("+3000 tokens"))
            }
        }
    }

    @Test("a model of the hub is called by its name there, and not by the commit that its folder is called by")
    func hubName() throws {
        let directory = try ServedProgram.models()
        let commit = String(repeating: "a", count: 40)
        let snapshot = "hf/hub/models--tiny--talker/snapshots/\(commit)"
        #expect(
            try directory.run("mkdir -p hf/hub/models--tiny--talker/refs \(snapshot) && cp model/* \(snapshot)") == 0
        )
        try directory.write("hf/hub/models--tiny--talker/refs/main", commit)
        let environment = "HF_HOME=$PWD/hf HF_HUB_OFFLINE=1"
        let program = try ServedProgram("--model tiny/talker", in: directory, environment: environment)
        let request: JSON = ["model": "tiny/talker", "prompt": "a", "max_tokens": 1]
        #expect(try program.answer(Self.completions, request)["model"] == "tiny/talker")
    }

    @Test("the context bounds a request, and a client that left makes room")
    func bounds() throws {
        let program = try ServedProgram(
            "--model model --max-length 64 --max-concurrent 1 --max-waiting 0 --name custom",
            in: ServedProgram.models()
        )
        let long = try program.answers([(Self.completions, ["prompt": "abcdefgh", "max_tokens": 60])])
        #expect(long == [nil] && program.logs(" 400 "))
        let stop = JSON.array([.string("\u{1}nothing says this")])
        for _ in 0..<20 {
            let client = try SocketClient(port: program.port)
            let body: JSON = ["prompt": "a", "stream": true, "max_tokens": 50, "model": "custom", "stop": stop]
            client.send(SocketClient.request("POST", Self.completions, body: body.serialized()))
            client.leave()
        }
        var answer: JSON?
        for _ in 0..<1000 where answer == nil {
            answer = try? program.answer(Self.completions, ["prompt": "a", "max_tokens": 50])
        }
        #expect(answer?["choices"]?[0]?["finish_reason"] != nil)
    }

    @Test(
        "what cannot be served is one sentence",
        arguments: [
            ("--host 0.0.0.0 --model model", 64, "RTO_SERVE_TOKEN"), ("--host 192.0.2.1 --model .", 64, "token"),
            ("", 64, "--model DIRECTORY"), ("--model model --token a --token-file token", 64, "give one"),
            ("--model model --token 'a b'", 64, "--token"), ("--model model --token-file empty", 64, "empty"),
            ("--reward-model reward --name x", 64, "only with --model"), ("--model reward", 65, "reward model"),
            ("--model model --max-length 5000", 65, "takes 4096"), ("--model model --port 70000", 64, "65535"),
            ("--model model --max-length 9223372036854775807", 64, "1073741824"),
            ("--model model --max-waiting 9223372036854775807", 64, "1048576"),
            ("--model model --host nowhere.invalid --token t", 65, "no machine"),
            ("--reward-model reward --normalize-reward", 65, "\"mean\""), ("--model model --port 1", 65, "--port 1"),
        ]
    )
    func usage(flags: String, status: Int32, mention: String) throws {
        let directory = try ServedProgram.models()
        try directory.write("token", "x")
        try directory.write("empty", "\n")
        // A user who may listen to low ports would be served: the address is one that is no machine's.
        let flags = flags.replacing("--port 1", with: "--host 203.0.113.1 --token t --port 1")
        #expect(try directory.run("exec $RTO serve --device cpu \(flags) 2> log") == status)
        let log = try String(contentsOf: directory.url.appending(path: "log"), encoding: .utf8)
        #expect(log.contains(mention) && log.split(separator: "\n").count == 1, "\(log)")
    }

    @Test("rewards are those of rto score, and train ppo learns from them")
    func rewards() throws {
        let directory = try ServedProgram.models()
        let program = try ServedProgram("--reward-model reward", in: directory, token: "reward-token")
        let texts = (0..<9).map { String(repeating: "text \($0) ", count: 1 + $0 * 3) }
        let query = JSON.array(texts.map { .string($0 + "</s>") })
        let answer = try program.answer("/get_reward", ["query": query, "prompts": query])
        let rows = texts.map { text -> String in
            let ids = JSON.array((text.utf8.map(Int.init) + [TinyTokenizer.end]).map { .integer($0) })
            return #"{"ids":\#(ids.serialized())}"# + "\n"
        }
        try directory.write("rows.jsonl", rows.joined())
        let score =
            "$RTO score --reward-model reward --data rows.jsonl --no-values --device cpu --threads 1 > scores 2> log"
        #expect(try directory.run(score) == 0)
        let scores = try String(contentsOf: directory.url.appending(path: "scores"), encoding: .utf8)
            .split(separator: "\n").map { try JSON(parsing: Array($0.utf8))["score"]?.number ?? .nan }
        let rewards = answer["rewards"]?.array?.compactMap(\.number) ?? []
        #expect(rewards.count == 9 && zip(rewards, scores).allSatisfy { abs($0 - $1) < 1e-4 })
        #expect(answer["scores"] == answer["rewards"] && Set(rewards).count == 9)

        try directory.write("prompts.jsonl", (0..<8).map { #"{"prompt":"question \#($0)"}"# + "\n" }.joined())
        let train =
            "$RTO train ppo --model model --data prompts.jsonl --critic-model reward --rollout-batch-size 8 --batch-size 8 "
            + "--max-new-tokens 6 --max-steps 1 --device cpu --threads 1 --reward-url \(program.address)/get_reward "
            + "2> log --output "
        #expect(try directory.run("RTO_REWARD_TOKEN=wrong " + train + "refused") != 0 && program.log.contains(" 401 "))
        #expect(try directory.run("RTO_REWARD_TOKEN=reward-token " + train + "run") == 0)
        let metrics = try String(contentsOf: directory.url.appending(path: "run/metrics.jsonl"), encoding: .utf8)
        #expect(try JSON(parsing: metrics)["objective/scores"]?.number?.isFinite == true)
        #expect(program.logs("POST /get_reward 200", times: 2) && program.log.contains("8 texts"))
    }

    private static let python = TestPython.path(importing: "openai")

    @Test(
        "the official openai package for Python is content",
        .enabled(
            if: python != nil,
            "no Python that imports openai: name one in $RTO_TEST_PYTHON, or make .venv-test and install it there"
        )
    )
    func officialClient() throws {
        let program = try ServedProgram("--model model", in: ServedProgram.models(), token: "secret-token")
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Clients/openai-client.py")
        let python = try #require(Self.python)
        let status = try program.directory.run(
            "'\(python)' '\(script.standardizedFileURL.path)' \(program.address) secret-token > client.log 2>&1"
        )
        let log = try String(contentsOf: program.directory.url.appending(path: "client.log"), encoding: .utf8)
        #expect(status == 0 && log.isEmpty, "\(log)")
        #expect(!program.log.contains("secret-token"))
    }
}

extension JSON {
    /// The object with one more member.
    fileprivate func with(_ key: String, _ value: JSON) -> JSON {
        guard var object else { return self }
        object[key] = value
        return .object(object)
    }
}
