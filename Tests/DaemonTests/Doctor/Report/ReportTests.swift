import Testing

@testable import Daemon

@Suite struct FindingTextTests {
  private let findings = [
    Finding("a.b", "first", .ok, "works."),
    Finding(
      "a.c", "second", .limited,
      "is a sentence that is so long that it does not fit in a line of eighty columns, nor nearly.",
      remedy: "do what is needed, which also takes more than a line to say in words, as it is somewhat involved"),
    Finding("s.d", subject: "/srv/disk", "third", .missing, "is gone.", remedy: "bring it back"),
  ]

  @Test func isAligned() {
    #expect(
      FindingText(findings).text == """
        This host
          ok       first: works.
          limited  second: is a sentence that is so long that it does not fit in a line
                   of eighty columns, nor nearly.
                   -> do what is needed, which also takes more than a line to say in
                   words, as it is somewhat involved

        /srv/disk
          missing  third: is gone.
                   -> bring it back

        nvmed cannot do here what is asked of it: 1 ok, 1 limited, 1 missing.

        """)
    #expect(FindingText([findings[0]]).text.hasSuffix("\n\nnvmed can run here: 1 ok, 0 limited, 0 missing.\n"))
  }

  @Test func wrapsAtTheWidth() {
    #expect(FindingText.wrapped("aaa bbb ccc", width: 7) == ["aaa bbb", "ccc"])
    #expect(FindingText.wrapped("aaa bbb ccc", width: 6) == ["aaa", "bbb", "ccc"])
    #expect(FindingText.wrapped("a longest-of-words b", width: 5) == ["a", "longest-of-words", "b"])
    #expect(FindingText.wrapped("", width: 5) == [])
  }

  /// What a path may contain does not reach a terminal.
  @Test func controlCharactersAreEscaped() {
    let text = FindingText([Finding("a.b", subject: "/\u{1B}[2J", "x", .ok, "\u{7}")]).text
    #expect(!text.unicodeScalars.contains { $0 == "\u{1B}" || $0 == "\u{7}" })
    #expect(text.contains("/\\u{1b}[2J"))
  }
}

@Suite struct FindingJSONTests {
  @Test func hasEveryMember() {
    let findings = [
      Finding("a.b", "first", .ok, "works."),
      Finding("s.d", subject: "/srv/\"disk\"", "third", .missing, "is gone.", remedy: "bring it\nback"),
    ]
    #expect(
      FindingJSON(findings).text == #"""
        [
          {"id": "a.b", "subject": null, "title": "first", "verdict": "ok", "reason": "works.", "remedy": null},
          {"id": "s.d", "subject": "/srv/\"disk\"", "title": "third", "verdict": "missing", "reason": "is gone.", "remedy": "bring it\nback"}
        ]

        """#)
  }

  @Test(arguments: [
    ("plain", "\"plain\""), ("\\", "\"\\\\\""), ("\t\r\u{1}\u{1F}", "\"\\t\\r\\u0001\\u001f\""), ("ü€😀", "\"ü€😀\""),
  ])
  func escapesWhatMustBe(_ text: String, _ json: String) { #expect(FindingJSON.string(text) == json) }
}
