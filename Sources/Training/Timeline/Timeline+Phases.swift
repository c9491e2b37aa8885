extension Timeline: PhaseObserver {
    func began(_ phase: Phase, step: Int) {
        guard isRecording, phase.span != nil else { return }
        openPhases.append((phase, now()))
    }

    /// A phase that began before the recording is not drawn.
    func ended(_ phase: Phase, step: Int) {
        guard let name = phase.span, let last = openPhases.last, last.phase == phase else { return }
        openPhases.removeLast()
        let category = phase.row == .patches ? "data" : "training"
        record(
            place(of: Label(name: name, category: category)), on: phase.row, from: last.begin, to: now())
    }
}
