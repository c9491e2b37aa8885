import Testing

@testable import Collectives

@Suite struct SideChannelTests {
    @Test(arguments: [2, 4])
    func ranksReachEachOther(size: Int) throws {
        let results = ThreadedRanks.run(size) { ranks in
            let channel = try SideChannel(on: ranks)
            #expect(channel.unreachable == [])
            // Messages may be lost: those of the others come until they are answered.
            guard ranks.rank == 0 else {
                for _ in 0..<100 {
                    channel.send(Array("from \(ranks.rank)".utf8), to: 0)
                    guard let (sender, message) = channel.receive(within: 0.1), !message.isEmpty else {
                        continue
                    }
                    return ["\(sender): \(String(decoding: message, as: UTF8.self))"]
                }
                return []
            }
            var heard: [Int: String] = [:]
            while let (sender, message) = channel.receive(within: heard.count < ranks.size - 1 ? 10 : 1) {
                guard !message.isEmpty else { continue }
                heard[sender] = String(decoding: message, as: UTF8.self)
                channel.send(Array("to \(sender)".utf8), to: sender)
            }
            return heard.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        }
        #expect(try results[0].get() == (1..<size).map { "\($0): from \($0)" })
        for rank in 1..<size { #expect(try results[rank].get() == ["0: to \(rank)"]) }
    }

    @Test func messagesOfOtherJobsAreIgnored() throws {
        let channels = ThreadedRanks.run(2) { try SideChannel(on: $0) }
        let (zero, one) = (try channels[0].get(), try channels[1].get())
        let stranger = try #require(DatagramSocket())
        let address = try #require(zero.localAddress)
        stranger.send([UInt8](repeating: 7, count: 40), to: address)
        stranger.send([1, 2], to: address)
        one.send([5], to: 0)
        var heard: [[UInt8]] = []
        for _ in 0..<8 {
            if let (_, message) = zero.receive(within: 0.2), !message.isEmpty { heard.append(message) }
        }
        #expect(heard == [[5]])
    }

    /// Nobody answers at rank 0.
    @Test func aRankThatIsNotReachedIsNamed() throws {
        let results = ThreadedRanks.run(3) { ranks in
            try SideChannel(on: ranks, patience: ranks.rank == 2 ? 0 : 2).unreachable
        }
        for result in results { #expect(try result.get() == [2]) }
    }
}
