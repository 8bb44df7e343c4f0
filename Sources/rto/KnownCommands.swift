import ArgumentParser
import Configuration

/// What is wrong with the words of a command line, with what to do.
struct CommandError: ExitStatusProviding, CustomStringConvertible {
    let description: String
    var exitStatus: ExitStatus { .usage }
}

/// Throws where the words name a command that does not exist.
func refuseUnknownCommands(_ arguments: [String]) throws {
    try refuse(arguments.first, known: RTO.configuration.subcommands, after: "rto")
    if arguments.first == "evaluate" {
        try refuse(arguments.dropFirst().first, known: Evaluate.configuration.subcommands, after: "rto evaluate")
    }
    guard arguments.first == "train" else { return }
    try refuse(arguments.dropFirst().first, known: Train.configuration.subcommands, after: "rto train")
}

private func refuse(_ word: String?, known: [any ParsableCommand.Type], after command: String) throws {
    let known = known.compactMap { $0.configuration.commandName }
    guard let word, !word.hasPrefix("-"), !known.contains(word) else { return }
    let nearest = nearestName(to: word, among: known)
    throw CommandError(description: "unknown command '\(command) \(word)'; did you mean '\(command) \(nearest)'?")
}
