import Foundation
import Synchronization

/// Short messages between rank 0 and every other rank that do not go through MPI, so that ranks can say how
/// they are while MPI waits for one that is lost. Messages may be lost or come twice; their order is not
/// kept.
///
/// UDP over IPv4: rank 0 tells its addresses and a secret number by MPI, the others try them in turn. Any
/// thread may send and receive.
public final class SideChannel: Sendable {
    /// Longest message in bytes.
    public static let longest = DatagramSocket.longest - 12

    /// Ranks that rank 0 does not reach, ascending; equal on all ranks.
    public let unreachable: [Int]
    private let socket: DatagramSocket?
    private let rank: Int
    /// In every datagram, so that those of other jobs are known.
    private let secret: UInt64
    /// By rank: all of them on rank 0, rank 0 on the others.
    private let addresses: [Int: DatagramSocket.Address]

    /// Joins all ranks of a communicator. Collective; takes milliseconds, and seconds where a rank is not
    /// reached.
    /// - Parameter patience: How long a rank tries, in seconds.
    public init(on communicator: any Communicator, patience: Double = 2) throws(MPIError) {
        rank = communicator.rank
        let socket = DatagramSocket()
        self.socket = socket
        let words = [UInt64.random(in: .min ... .max), UInt64(socket?.port ?? 0)]
        let own = words + (socket == nil ? [] : DatagramSocket.localHosts().map(UInt64.init))
        let offer = try communicator.broadcast(own.map(String.init).joined(separator: " "), from: 0)
            .split(separator: " ").compactMap { UInt64($0) }
        let secret = offer[0]
        self.secret = secret
        let offered = offer.dropFirst(2).map {
            DatagramSocket.Address(host: UInt32($0), port: UInt16(offer[1]))
        }
        var found: [Int: DatagramSocket.Address] = [:]
        if communicator.rank > 0, let socket {
            found[0] = Self.call(offered, on: socket, secret: secret, rank: rank, patience: patience)
        }
        // Rank 0 answers until all others have been through this.
        let answering = communicator.rank == 0 ? socket.map { Answering($0, secret: secret) } : nil
        var flags = (0..<communicator.size).map { Int64($0 == communicator.rank && found.isEmpty ? 1 : 0) }
        do {
            try communicator.allReduce(&flags, .maximum)
        } catch {
            _ = answering?.end()
            throw error
        }
        addresses = answering?.end() ?? found
        unreachable = (1..<max(1, communicator.size)).filter { flags[$0] > 0 }
    }

    /// Where this rank listens, as a program on this machine reaches it.
    var localAddress: DatagramSocket.Address? {
        socket.map { DatagramSocket.Address(host: UInt32(0x7f00_0001).bigEndian, port: $0.port) }
    }

    /// The first address that answers.
    private static func call(
        _ addresses: [DatagramSocket.Address], on socket: DatagramSocket, secret: UInt64, rank: Int,
        patience: Double
    ) -> DatagramSocket.Address? {
        let begin = ContinuousClock.now
        while begin.secondsToNow < patience, !addresses.isEmpty {
            for address in addresses { socket.send(packet(secret: secret, rank: rank, []), to: address) }
            let asked = ContinuousClock.now
            while asked.secondsToNow < 0.1 {
                guard let (payload, address) = socket.receive(within: 0.1) else { continue }
                if parse(payload, secret: secret)?.rank == 0 { return address }
            }
        }
        return nil
    }

    /// Sends a message of at most ``longest`` bytes: from rank 0 to any other, from the others to rank 0.
    public func send(_ message: [UInt8], to rank: Int) {
        guard let address = addresses[rank] else { return }
        socket?.send(Self.packet(secret: secret, rank: self.rank, message), to: address)
    }

    /// The next message and who sent it; nil when none comes in time.
    public func receive(within seconds: Double) -> (rank: Int, message: [UInt8])? {
        guard let (payload, _) = socket?.receive(within: seconds) else { return nil }
        return Self.parse(payload, secret: secret)
    }

    /// secret, rank, message; numbers in little-endian order.
    fileprivate static func packet(secret: UInt64, rank: Int, _ message: [UInt8]) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: secret >> (8 * $0)) }
            + (0..<4).map { UInt8(truncatingIfNeeded: rank >> (8 * $0)) } + message
    }

    fileprivate static func parse(_ payload: [UInt8], secret: UInt64) -> (rank: Int, message: [UInt8])? {
        guard payload.count >= 12, payload.prefix(8) == packet(secret: secret, rank: 0, []).prefix(8) else {
            return nil
        }
        return (payload[8..<12].reversed().reduce(0) { $0 << 8 | Int($1) }, Array(payload.dropFirst(12)))
    }
}

/// A thread of rank 0 that answers the first messages of the others, and so learns where they are.
private final class Answering: Sendable {
    private let found = Mutex<[Int: DatagramSocket.Address]>([:])
    private let isOver = Atomic(false)
    private let isDone = DispatchSemaphore(value: 0)

    init(_ socket: DatagramSocket, secret: UInt64) {
        Thread.detachNewThread { [self] in
            while !isOver.load(ordering: .relaxed) {
                guard let (payload, address) = socket.receive(within: 0.005),
                    let (sender, _) = SideChannel.parse(payload, secret: secret)
                else { continue }
                found.withLock { $0[sender] = address }
                socket.send(SideChannel.packet(secret: secret, rank: 0, []), to: address)
            }
            isDone.signal()
        }
    }

    /// The address of each rank that was heard.
    func end() -> [Int: DatagramSocket.Address] {
        isOver.store(true, ordering: .relaxed)
        isDone.wait()
        return found.withLock { $0 }
    }
}
