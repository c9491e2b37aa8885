import Configuration
import RunFiles

extension Checkpoint {
    /// The resolved configuration of the run.
    /// - Throws: ``ConfigurationError`` when another version wrote keys that this one does not know.
    public func configuration() throws(ConfigurationError) -> RunConfiguration {
        try RunConfiguration(yaml: configurationText, name: "the checkpoint's configuration")
    }

    /// Checks that a run with `configuration` can go on from here.
    /// - Returns: the keys that have changed and may, for the log.
    /// - Throws: ``CheckpointError/otherConfiguration(path:key:found:expected:)`` for the first key that may
    ///   not.
    public func check(
        against configuration: RunConfiguration, path: String
    ) throws -> [RunConfiguration.Difference] {
        let differences = configuration.differences(from: try self.configuration())
        if let forbidden = differences.first(where: { !RunConfiguration.mayChangeOnResume($0.key) }) {
            throw CheckpointError.otherConfiguration(
                path: path, key: forbidden.key, found: forbidden.other, expected: forbidden.value)
        }
        return differences
    }
}
