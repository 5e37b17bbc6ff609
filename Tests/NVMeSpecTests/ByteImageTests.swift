import Testing

@testable import NVMeSpec

@Suite struct ByteImageTests {
  @Test func integersAreLittleEndianAndNeedNoAlignment() {
    var image = ByteImage(byteCount: 21)
    image[1] = 0x0102_0304 as UInt32
    image[5] = (0x0F0E_0D0C_0B0A_0908_0706_0504_0302_0100 as UInt128) >> 8
    #expect(Array(image.bytes[0..<7]) == [0, 4, 3, 2, 1, 1, 2])
    #expect(image[5] as UInt64 == 0x0807_0605_0403_0201)
    #expect(image.bytes[19] == 0x0F && image.bytes[20] == 0)
  }

  @Test func decodingTakesWhatItNeeds() {
    #expect(ByteImage(decoding: [1, 2, 3], byteCount: 2)?.bytes == [1, 2])
    #expect(ByteImage(decoding: [1], byteCount: 2) == nil)
    #expect(ByteImage(decoding: [9, 1, 2][1...], byteCount: 2)?.bytes == [1, 2])
  }

  @Test func textFromTheWireIsPrintable() {
    let image = ByteImage(decoding: [0x61, 0x07, 0xFF, 0x62, 0x20, 0x00], byteCount: 6)
    #expect(image?[asciiAt: 0, count: 6] == "a??b")
    #expect(image?[asciiAt: 4, count: 2] == "")
    #expect(image?[utf8At: 3, count: 3] == "b ")
  }

  @Test func bytesAreCutAndFilled() {
    var image = ByteImage(byteCount: 4)
    image[bytesAt: 1, count: 2] = [1, 2, 3]
    #expect(image.bytes == [0, 1, 2, 0])
    image[bytesAt: 1, count: 2] = [9]
    #expect(image[bytesAt: 1, count: 2] == [9, 0])
  }
}
