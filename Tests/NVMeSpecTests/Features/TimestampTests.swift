import NVMeSpec
import Testing

@Suite struct TimestampTests {
  @Test func encoding() {
    let timestamp = Timestamp(milliseconds: 0xFFFF_0605_0403_0201, origin: .setByHost, mayHaveStopped: true)
    #expect(timestamp.encode() == [1, 2, 3, 4, 5, 6, 0b0011, 0])
    #expect(Timestamp(milliseconds: 1, origin: .clearedByReset).encode() == [1, 0, 0, 0, 0, 0, 0, 0])
    #expect(Timestamp(decoding: timestamp.encode()) == timestamp)
  }

  @Test func decoding() {
    let timestamp = Timestamp(decoding: [1, 2, 3, 4, 5, 6, 0b1110, 0xFF])
    #expect(timestamp?.milliseconds == 0x0605_0403_0201)
    #expect(timestamp?.origin == nil)
    #expect(timestamp?.mayHaveStopped == false)
    #expect(Timestamp(decoding: [1, 2, 3, 4, 5, 6, 7]) == nil)
  }

  @Test func laterMillisecondsAreCut() {
    var timestamp = Timestamp(milliseconds: 0)
    timestamp.milliseconds = .max
    #expect(timestamp.encode() == [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0b0010, 0])
  }
}
