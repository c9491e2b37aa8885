extension ContinuousClock.Instant {
    /// Seconds from here to now.
    public var secondsToNow: Double { duration(to: .now) / .seconds(1) }
}
