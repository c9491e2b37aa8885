import Collectives

extension Timeline: CommunicationObserver {
    /// An operation that goes on beside the program.
    struct Flight {
        let number: Int
        let label: UInt32
        let bytes: Int
        let begin: Int64
    }

    func callBegins(_ call: String, bytes: Int) {
        guard isRecording else { return }
        let label = Label(name: call, category: "communication", value: bytes > 0 ? .bytes : .none)
        self.call = (place(of: label), bytes, now())
    }

    func callEnds() {
        guard let call else { return }
        record(call.label, on: .communication, from: call.begin, to: now(), value: call.bytes)
        self.call = nil
    }

    /// The operation takes the first row that is free.
    func operationBegins(_ number: Int, call: String, bytes: Int) {
        guard isRecording else { return }
        let label = place(of: Label(name: call, category: "in flight", value: .bytes))
        let flight = Flight(number: number, label: label, bytes: bytes, begin: now())
        if let lane = flights.firstIndex(where: { $0 == nil }) {
            flights[lane] = flight
        } else {
            flights.append(flight)
        }
    }

    func operationEnds(_ number: Int) {
        guard let lane = flights.firstIndex(where: { $0?.number == number }), let flight = flights[lane]
        else { return }
        record(flight.label, on: .inFlight(lane), from: flight.begin, to: now(), value: flight.bytes)
        flights[lane] = nil
    }
}
