extension RunConfiguration {
    /// Whether a resumed run may have another value than its checkpoint.
    ///
    /// Yes: how long and how the run goes on (`steps`, `threads`, `checkpoint`, `evaluate`, `distributed`,
    /// `log`), where the list lies (`data.list`; its subjects stay, as a checkpoint knows them), and
    /// `optimizer.learning_rate`, which users lower. No: whatever else decides which patches are seen, what
    /// is computed of them, or what the state means.
    public static func mayChangeOnResume(_ key: String) -> Bool {
        let keys = ["steps", "threads", "data.list", "optimizer.learning_rate"]
        let sections = ["checkpoint.", "evaluate.", "distributed.", "log."]
        return keys.contains(key) || sections.contains { key.hasPrefix($0) }
    }
}
