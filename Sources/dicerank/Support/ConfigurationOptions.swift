import ArgumentParser
import Configuration

/// A configuration file and what replaces its values.
struct ConfigurationOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("Configuration, a YAML file.", valueName: "CONFIG"))
    var config: String

    @Option(
        help: ArgumentHelp(
            "Replace a value of the configuration; may be repeated. Paths start at the current folder.",
            valueName: "key.sub=value"))
    var set: [String] = []

    func read() throws -> RunConfiguration {
        try RunConfiguration(contentsOf: config, overrides: set, warn: Self.warn)
    }

    /// Says on the first rank what is to be changed in a configuration.
    static func warn(_ sentence: String) {
        if LaunchedRank.current.isFirst { Report(isQuiet: false).warning(sentence) }
    }
}
