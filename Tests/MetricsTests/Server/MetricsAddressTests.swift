import Metrics
import Testing

@Suite struct MetricsAddressTests {
  @Test(arguments: [
    ("127.0.0.1:9911", MetricsAddress.tcp(host: "127.0.0.1", port: 9911)),
    ("127.1.2.3:1", .tcp(host: "127.1.2.3", port: 1)), ("[::1]:65535", .tcp(host: "::1", port: 65535)),
    ("unix:/run/nvmed/metrics.sock", .unix(path: "/run/nvmed/metrics.sock")),
  ])
  func isRead(_ text: String, _ address: MetricsAddress) {
    #expect(MetricsAddress(text: text) == address)
    #expect(address.text == text)
  }

  @Test(arguments: [
    "", "9911", ":9911", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "0.0.0.0:9911",
    "10.0.0.1:9911", "[::]:9911", "::1:9911", "[fe80::1]:9911", "localhost:9911", "127.0.0.1:99 11", "unix:",
    "unix:/", "unix:run/x", "/run/x", "unix:/" + String(repeating: "x", count: 107), "unix:/a\0b", "127.1:9911",
  ])
  func isRefused(_ text: String) {
    #expect(MetricsAddress(text: text) == nil)
  }
}
