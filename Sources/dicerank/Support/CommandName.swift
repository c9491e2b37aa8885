import ArgumentParser
import Sampling

/// The names of commands on the command line, which are looked at before the options: the parser takes a name
/// that it does not know for an argument too many.
enum CommandName {
    /// Checks the words up to the first that is no command's name.
    /// - Parameter words: Of the command line, without the program.
    /// - Throws: `ValidationError` where a subcommand is expected and another word stands there.
    static func check(_ words: ArraySlice<String>, of command: any ParsableCommand.Type) throws {
        let subcommands = command.configuration.subcommands
        guard let word = words.first, !word.hasPrefix("-"), !subcommands.isEmpty else { return }
        if word == "help" { return try check(words.dropFirst(), of: command) }
        if let next = subcommands.first(where: { $0._commandName == word }) {
            return try check(words.dropFirst(), of: next)
        }
        let names = subcommands.map { $0._commandName }
        let nearest = nearestName(to: word, in: names, aliases: aliases).map { "Did you mean '\($0)'?" }
        throw ValidationError(
            "Unknown command '\(word)'. " + (nearest ?? "The commands are \(listed(names))."))
    }

    /// What other programs call commands.
    private static let aliases = [
        "fit": "train", "predict": "segment", "infer": "segment", "inference": "segment", "test": "evaluate",
        "eval": "evaluate", "score": "evaluate", "compare": "report", "check": "doctor", "benchmark": "bench",
        "synthesise": "phantom", "info": "inspect", "grid": "sweep",
    ]
}
