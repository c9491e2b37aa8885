import Glibc

/// A UDP socket of IPv4 on a port that the system chose, on all interfaces.
final class DatagramSocket: Sendable {
    /// Longest payload: what fits one frame of Ethernet.
    static let longest = 1400

    struct Address: Hashable, Sendable {
        /// Both in network order.
        var host: UInt32
        var port: UInt16
    }

    private let descriptor: Int32
    /// In network order.
    let port: UInt16

    /// Nil where the system gives none.
    init?() {
        let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = Self.raw(Address(host: 0, port: 0))
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        guard status == 0 else {
            close(descriptor)
            return nil
        }
        (self.descriptor, port) = (descriptor, address.sin_port)
    }

    deinit { close(descriptor) }

    private static func raw(_ address: Address) -> sockaddr_in {
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_addr.s_addr = address.host
        raw.sin_port = address.port
        return raw
    }

    /// Sends without waiting; what cannot be sent is lost. The corresponding C function is `sendto`.
    func send(_ payload: [UInt8], to target: Address) {
        precondition(payload.count <= Self.longest, "a datagram of \(payload.count) bytes")
        var address = Self.raw(target)
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = sendto(
                    descriptor, payload, payload.count, Int32(MSG_DONTWAIT), address,
                    socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// The next datagram; nil when none comes in time. The corresponding C functions are `poll` and
    /// `recvfrom`.
    func receive(within seconds: Double) -> (payload: [UInt8], from: Address)? {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, Int32((seconds * 1000).rounded(.up))) > 0 else { return nil }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        var payload = [UInt8](repeating: 0, count: Self.longest)
        let received = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                recvfrom(
                    descriptor, &payload, Self.longest, Int32(MSG_DONTWAIT), address, &length)
            }
        }
        // An error is that of a datagram sent before, to a port that nobody listens on.
        guard received >= 0 else { return nil }
        return (
            Array(payload.prefix(received)), Address(host: address.sin_addr.s_addr, port: address.sin_port)
        )
    }

    /// The IPv4 addresses of this machine's interfaces that are up, in network order. The corresponding C
    /// function is `getifaddrs`.
    static func localHosts() -> [UInt32] {
        var first: UnsafeMutablePointer<ifaddrs>?
        guard getifaddrs(&first) == 0 else { return [] }
        defer { freeifaddrs(first) }
        var hosts: [UInt32] = []
        var next = first
        while let entry = next {
            next = entry.pointee.ifa_next
            guard let address = entry.pointee.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET),
                entry.pointee.ifa_flags & UInt32(IFF_UP) != 0
            else { continue }
            hosts.append(
                address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr })
        }
        return hosts
    }
}
