import Configuration

/// Commands that the interface reserves and this version does not have.
private let reservedCommands = ["report"]

/// A command that is not there, with what to do.
private struct CommandError: ExitStatusProviding, CustomStringConvertible {
    let description: String
    var exitStatus: ExitStatus { .usage }
}

/// Throws where the words name a command that does not exist, or not yet.
func refuseReservedCommands(_ arguments: [String]) throws {
    let commands = RTO.configuration.subcommands.compactMap { $0.configuration.commandName }
    try refuse(arguments.first, reserved: reservedCommands, known: commands, after: "rto")
    if arguments.first == "evaluate" {
        let measures = Evaluate.configuration.subcommands.compactMap { $0.configuration.commandName }
        try refuse(arguments.dropFirst().first, reserved: [], known: measures, after: "rto evaluate")
    }
    guard arguments.first == "train" else { return }
    let stages = Stage.allCases.map(\.rawValue)
    try refuse(arguments.dropFirst().first, reserved: [], known: stages, after: "rto train")
}

private func refuse(_ word: String?, reserved: [String], known: [String], after command: String) throws {
    guard let word, !word.hasPrefix("-"), !known.contains(word) else { return }
    if reserved.contains(word) {
        throw CommandError(description: "\(command) \(word) is not available yet")
    }
    let nearest = nearestName(to: word, among: known)
    throw CommandError(description: "unknown command '\(command) \(word)'; did you mean '\(command) \(nearest)'?")
}
