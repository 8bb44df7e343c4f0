import Foundation
import Tokenizers

extension TokenCredit {
    /// How many strengths of colour there are on either side of nothing.
    static let levels = 6
}

extension RunReport {
    /// Scalars of a prompt or a completion that are shown.
    private static let textLimit = 1500

    /// What the runs sampled on their way.
    var samples: Section? {
        let shown = runs.indices.filter { !runs[$0].samples.isEmpty }
        guard !shown.isEmpty else { return nil }
        let parts = shown.map { number -> String in
            let run = runs[number]
            let steps = run.samples.map { step in
                "<h4>Step \(HTMLText.grouped(step.step))</h4>"
                    + step.samples.map { sample($0, run.tokenizer) }.joined(separator: "\n")
                    + more(step.leftOut, "samples")
            }
            let rest = run.sampleStepCount - run.samples.count
            return "<h3>\(heading(number))</h3>" + steps.joined(separator: "\n") + more(rest, "steps with samples")
        }
        return Section(title: "Samples", body: parts.joined(separator: "\n"))
    }

    private func more(_ count: Int, _ what: String) -> String {
        count > 0 ? "<p class=\"note\">\(HTMLText.grouped(count)) more \(what) are left out.</p>" : ""
    }

    private func sample(_ sample: RunSamples.Sample, _ tokenizer: Tokenizer?) -> String {
        let numbers = sample.numbers.map { "\($0.name) \(RunNumber.text($0.value))" }.joined(separator: " · ")
        return """
            <div class="sample">\(HTMLText.preformatted(text(sample.prompt, tokenizer), class: "prompt"))\
            \(HTMLText.preformatted(text(sample.completion, tokenizer)))<p class="legend">\(numbers)</p></div>
            """
    }

    private func text(_ text: RunSamples.Text, _ tokenizer: Tokenizer?) -> String {
        switch text {
        case .text(let text): HTMLText.beginning(of: text, limit: Self.textLimit)
        case .ids(let ids): HTMLText.beginning(of: spelled(ids, tokenizer), limit: Self.textLimit)
        }
    }

    private func spelled(_ ids: [Int], _ tokenizer: Tokenizer?) -> String {
        tokenizer.map { $0.decode(ids) } ?? ids.map(String.init).joined(separator: " ")
    }

    /// What each token of some responses was worth.
    var credit: Section? {
        let shown = runs.indices.filter { number in runs[number].credits.contains { !$0.responses.isEmpty } }
        guard !shown.isEmpty else { return nil }
        let parts = shown.map { number in
            "<h3>\(heading(number))</h3>"
                + runs[number].credits.map { credit($0, runs[number].tokenizer) }.joined(separator: "\n")
        }
        let about = """
            <p class="note">Green tokens are paid, red ones are charged, the more the stronger; rest on one for its numbers.</p>
            """
        return Section(title: "Token credit", body: about + parts.joined(separator: "\n"))
    }

    private func credit(_ credit: TokenCredit, _ tokenizer: Tokenizer?) -> String {
        let largest = credit.responses.flatMap { $0.values(credit.colouring) }.filter(\.isFinite).map(abs).max() ?? 0
        let what =
            switch credit.colouring {
            case nil: "nothing is coloured, since neither token rewards nor rewards were saved"
            case let column? where largest == 0:
                "nothing is coloured, since \(column.replacing("_", with: " ")) are 0 at the tokens that are shown"
            case "token_rewards": "token reward, at most \(RunNumber.text(largest)) in size"
            default:
                "all that is paid at a token, since there are no token rewards, at most \(RunNumber.text(largest)) in size"
            }
        let responses = credit.responses.map { response -> String in
            let prompt = HTMLText.beginning(of: spelled(response.prompt, tokenizer), limit: Self.textLimit)
            let pieces = tokenizer?.pieces(of: response.tokens)
            let tokens = response.tokens.indices.map { index in
                token(index, of: response, piece: pieces?[index], scale: largest, credit.colouring)
            }
            let coloured = response.values(credit.colouring).filter(\.isFinite)
            let numbers = [
                response.score.map { "score \(RunNumber.text($0))" },
                credit.colouring == nil ? nil : "sum of what is coloured \(RunNumber.text(coloured.reduce(0, +)))",
                response.leftOut > 0 ? "\(HTMLText.grouped(response.leftOut)) more tokens are left out" : nil,
            ]
            return """
                <div class="sample">\(HTMLText.preformatted(prompt, class: "prompt"))<div class="tokens" dir="auto">\
                \(tokens.joined(separator: pieces == nil ? " " : ""))</div>\
                <p class="legend">\(numbers.compactMap(\.self).joined(separator: " · "))</p></div>
                """
        }
        return "<h4>Step \(HTMLText.grouped(credit.step)): \(what)</h4>"
            + responses.joined(separator: "\n") + more(credit.leftOut, "responses")
    }

    private func token(
        _ index: Int,
        of response: TokenCredit.Response,
        piece: [UInt8]?,
        scale: Double,
        _ colouring: String?
    ) -> String {
        let id = response.tokens[index]
        let value = response.values(colouring).indices.contains(index) ? response.values(colouring)[index] : 0
        let share = value.isFinite && scale > 0 ? (abs(value) / scale * Double(TokenCredit.levels)).rounded() : 0
        let kind = share == 0 ? "" : " class=\"\(value > 0 ? "p" : "n")\(Int(share))\""
        let numbers = response.columns.map { column in
            column.name.replacing("_", with: " ") + " " + RunNumber.text(column.values[index])
        }
        let title = (["id \(id)"] + numbers).map { HTMLText.escaped($0) }.joined(separator: "&#10;")
        let text = piece.map { visibleText($0) } ?? String(id)
        let lineBreak = piece?.contains(UInt8(ascii: "\n")) == true ? "<br>" : ""
        return "<i\(kind) title=\"\(title)\">\(HTMLText.escaped(text))</i>\(lineBreak)"
    }
}
