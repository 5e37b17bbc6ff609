extension BadConfiguration {
  /// What is no TOML, of every kind: the reader's words, and what to write.
  static let syntax: [BadConfiguration] = [
    BadConfiguration(
      "[daemon\n",
      "nvmed.toml:1:8: not TOML: expected ']', found the end of the line; write a header such as "
        + "[daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[[controller]\nname=\"a\"\n",
      "nvmed.toml:1:14: not TOML: expected ']]', found the end of the line; write a header such as "
        + "[daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[]\n",
      "nvmed.toml:1:2: not TOML: expected a key, found ']'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[controller.]\n",
      "nvmed.toml:1:13: not TOML: expected a key, found ']'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[daemon]]\n",
      "nvmed.toml:1:9: not TOML: expected the end of the line or a comment, found ']'; write a header "
        + "such as [daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[daemon] x\n",
      "nvmed.toml:1:10: not TOML: expected the end of the line or a comment, found 'x'; write a header "
        + "such as [daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[dae mon]\n",
      "nvmed.toml:1:6: not TOML: expected ']', found 'm'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[ [controller] ]\n",
      "nvmed.toml:1:3: not TOML: expected a key, found '['; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[daemon]\nio_threads = 1\nio_threads = 2\n",
      "nvmed.toml:3:1: not TOML: 'io_threads' has a value in line 2 already; write it once"),
    BadConfiguration(
      "[daemon]\n[daemon]\n",
      "nvmed.toml:2:2: not TOML: the table 'daemon' is defined in line 1 already; write it once"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[controller]\n",
      "nvmed.toml:3:2: not TOML: 'controller' is an array of tables in line 1, and cannot be a table; "
        + "write [daemon] once, and [[controller]] for each controller"),
    BadConfiguration(
      "[controller]\n[[controller]]\n",
      "nvmed.toml:2:3: not TOML: 'controller' is a table in line 1, and cannot be an array of tables; "
        + "write [daemon] once, and [[controller]] for each controller"),
    BadConfiguration(
      "daemon.io_threads = 1\n[daemon]\nlog_level=\"info\"\n",
      "nvmed.toml:2:2: not TOML: the table 'daemon' is defined in line 1 already, by a dotted key; "
        + "write it once"),
    BadConfiguration(
      "daemon = 1\n[daemon]\n",
      "nvmed.toml:2:2: not TOML: 'daemon' is a value in line 1, and cannot be a table; write [daemon] "
        + "once, and [[controller]] for each controller"),
    BadConfiguration(
      "daemon = { io_threads = 1 }\n[daemon.x]\n",
      "nvmed.toml:2:2: not TOML: 'daemon' is an inline table in line 1, and cannot be extended; write "
        + "the keys of a table in one place"),
    BadConfiguration(
      "controller = []\n[[controller]]\nname=\"a\"\n",
      "nvmed.toml:2:3: not TOML: 'controller' is an array in line 1, and cannot be an array of tables; "
        + "write [daemon] once, and [[controller]] for each controller"),
    BadConfiguration(
      "[daemon]\nio_threads 1\n",
      "nvmed.toml:2:12: not TOML: expected '=', found '1'; write io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads: 1\n",
      "nvmed.toml:2:11: not TOML: expected '=', found ':'; write io_threads = 1"),
    BadConfiguration(
      "daemon:\n  io_threads: 1\n",
      "nvmed.toml:1:7: not TOML: expected '=', found ':'; write key = value"),
    BadConfiguration(
      "export X=1\n",
      "nvmed.toml:1:8: not TOML: expected '=', found 'X'; write key = value"),
    BadConfiguration(
      "[daemon]\nio_threads =\n",
      "nvmed.toml:2:13: not TOML: expected a value, found the end of the line; write a value behind '='"),
    BadConfiguration(
      "[daemon]\n= 1\n",
      "nvmed.toml:2:1: not TOML: expected a key, a header or a comment, found '='; write a key before "
        + "'='"),
    BadConfiguration(
      "[daemon]\nio_threads = 1 log_level = \"info\"\n",
      "nvmed.toml:2:16: not TOML: expected the end of the line or a comment, found 'l'; write nothing "
        + "but a comment behind the value: io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads = 1;\n",
      "nvmed.toml:2:14: not TOML: '1;' is no number; write nothing but a comment behind the value: "
        + "io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads = 1,\n",
      "nvmed.toml:2:15: not TOML: expected the end of the line or a comment, found ','; write nothing "
        + "but a comment behind the value: io_threads = 1"),
    BadConfiguration(
      "[daemon]\nlog_level = info\n",
      "nvmed.toml:2:13: not TOML: 'info' is no value; write texts in quotes: log_level = \"info\""),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[[controller.namespace]]\nimage=\"/a\"\nread_only = True\n",
      "nvmed.toml:5:13: not TOML: 'True' is no value; write read_only = true"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[[controller.namespace]]\nimage=\"/a\"\nread_only = yes\n",
      "nvmed.toml:5:13: not TOML: 'yes' is no value; write read_only = true"),
    BadConfiguration(
      "x = on\n",
      "nvmed.toml:1:5: not TOML: 'on' is no value; write x = true"),
    BadConfiguration(
      "x = null\n",
      "nvmed.toml:1:5: not TOML: 'null' is no value; leave the key out where it has no value"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nmax_data_transfer = 512KiB\n",
      "nvmed.toml:3:21: not TOML: '512KiB' is no number; write a value with a unit in quotes: "
        + "max_data_transfer = \"512KiB\""),
    BadConfiguration(
      "[daemon]\nlog_level = \"info\n",
      "nvmed.toml:2:13: not TOML: a text without \" at its end; end the text with \" in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = 'info\n",
      "nvmed.toml:2:13: not TOML: a text without ' at its end; end the text with ' in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\"\"info\n",
      "nvmed.toml:2:13: not TOML: a text without \"\"\" at its end; end the text with \"\"\""),
    BadConfiguration(
      "[daemon]\nlog_level = \"a\"b\"\n",
      "nvmed.toml:2:16: not TOML: expected the end of the line or a comment, found 'b'; write nothing "
        + "behind the text in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\q\"\n",
      "nvmed.toml:2:14: not TOML: a backslash with 'q', which is no escape; write \\\\ for a "
        + "backslash, or the text in single quotes: '...'"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nsocket = \"C:\\Users\"\n",
      "nvmed.toml:3:13: not TOML: an escape without 8 hexadecimal digits; write \\\\ for a backslash, "
        + "or the text in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\ud800\"\n",
      "nvmed.toml:2:14: not TOML: an escape of U+D800, which is no character; write \\\\ for a "
        + "backslash, or the text in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\U00110000\"\n",
      "nvmed.toml:2:14: not TOML: an escape of U+110000, which is no character; write \\\\ for a "
        + "backslash, or the text in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"a\u{1}b\"\n",
      "nvmed.toml:2:15: not TOML: a control character, U+0001; remove the character"),
    BadConfiguration(
      "# \u{1}\n",
      "nvmed.toml:1:3: not TOML: a control character, U+0001; remove the character"),
    BadConfiguration(
      "[daemon]\nio_threads = 01\n",
      "nvmed.toml:2:14: not TOML: '01' begins with a zero; write a whole number such as 16, or a text "
        + "in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = ++1\n",
      "nvmed.toml:2:14: not TOML: '++1' is no number; write a whole number such as 16, or a text in "
        + "quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1__0\n",
      "nvmed.toml:2:14: not TOML: '1__0' has an underscore that is not between digits; write a whole "
        + "number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1.\n",
      "nvmed.toml:2:14: not TOML: '1.' is no number; write a whole number such as 16, or a text in "
        + "quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1e999\n",
      "nvmed.toml:2:14: not TOML: '1e999' does not fit in a floating-point number of 64 bits; write a "
        + "whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 9223372036854775808\n",
      "nvmed.toml:2:14: not TOML: '9223372036854775808' does not fit in an integer of 64 bits; write a "
        + "whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = -9223372036854775809\n",
      "nvmed.toml:2:14: not TOML: '-9223372036854775809' does not fit in an integer of 64 bits; write "
        + "a whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 0o9\n",
      "nvmed.toml:2:14: not TOML: '0o9' is no number; write a whole number such as 16, or a text in "
        + "quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 0xg\n",
      "nvmed.toml:2:14: not TOML: '0xg' is no number; write a whole number such as 16, or a text in "
        + "quotes"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1, 2\n",
      "nvmed.toml:2:11: not TOML: an array without ']' at its end; write a list such as [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1, 2\n[[controller]]\n",
      "nvmed.toml:3:1: not TOML: expected ',' or ']', found '['; write a list such as [2, 3]"),
    BadConfiguration(
      "\"log_level = 1\n",
      "nvmed.toml:1:1: not TOML: a text without \" at its end; end the text with \" in its line"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1,,2]\n",
      "nvmed.toml:2:14: not TOML: expected a value, found ','; write a list such as [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1 2]\n",
      "nvmed.toml:2:14: not TOML: expected ',' or ']', found '2'; write a list such as [2, 3]"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nnamespace = [{ image = \"/a\" ]\n",
      "nvmed.toml:3:29: not TOML: expected ',' or '}', found ']'; write { key = value, key = value }, "
        + "in one line"),
    BadConfiguration(
      "controller = [{ name = \"a\", }]\n",
      "nvmed.toml:1:29: not TOML: a comma behind the last pair of an inline table; write { key = "
        + "value, key = value }, in one line"),
    BadConfiguration(
      "controller = [{ name = \"a\"\n}]\n",
      "nvmed.toml:1:27: not TOML: expected ',' or '}', found the end of the line; write { key = value, "
        + "key = value }, in one line"),
    BadConfiguration(
      "[daemon]\nio_threads = 2026-13-45\n",
      "nvmed.toml:2:14: not TOML: '2026-13-45' is no date or time; no key takes a date or time; write "
        + "a number, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 25:00:00\n",
      "nvmed.toml:2:14: not TOML: '25:00:00' is no date or time; no key takes a date or time; write a "
        + "number, or a text in quotes"),
    BadConfiguration(
      "{ \"daemon\": { \"io_threads\": 1 } }\n",
      "nvmed.toml:1:1: not TOML: expected a key, a header or a comment, found '{'; a file is lines of "
        + "key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "<nvmed/>\n",
      "nvmed.toml:1:1: not TOML: expected a key, a header or a comment, found '<'; a file is lines of "
        + "key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "; comment\n[daemon]\n",
      "nvmed.toml:1:1: not TOML: expected a key, a header or a comment, found ';'; a file is lines of "
        + "key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "😀 = 1\n",
      "nvmed.toml:1:1: not TOML: expected a key, a header or a comment, found '😀'; a file is lines of "
        + "key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "[daemon]\nio_threads\u{a0}= 1\n",
      "nvmed.toml:2:11: not TOML: expected '=', found U+00A0; write plain spaces, quotes and letters"),
    BadConfiguration(
      "[daemon]\nlog_level = “info”\n",
      "nvmed.toml:2:13: not TOML: '“info”' is no value; write straight quotes: \"...\""),
    BadConfiguration(
      "[daemon]\rio_threads = 1\r",
      "nvmed.toml:1:9: not TOML: a carriage return without a line feed; end lines with LF or CR LF"),
    BadConfiguration(
      "x = " + String(repeating: "[", count: 400) + String(repeating: "]", count: 400),
      "nvmed.toml:1:133: values nested more than 128 deep; no value of a configuration is nested like "
        + "this"),
    BadConfiguration(
      "x = " + String(repeating: "{a=", count: 400) + "1" + String(repeating: "}", count: 400),
      "nvmed.toml:1:389: values nested more than 128 deep; no value of a configuration is nested like "
        + "this"),
    BadConfiguration(
      String(repeating: "a.", count: 20_000) + "a = 1",
      "nvmed.toml:1:1: a key of more than 16 parts; no key of a configuration has more than one"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\u0000\"",
      "nvmed.toml:2:14: not allowed: a NUL character in a text; remove it"),
    BadConfiguration(
      "[daemon]\n\"log\\U00000000\" = 1",
      "nvmed.toml:2:5: not allowed: a NUL character in a text; remove it"),
    BadConfiguration(
      "[daemon]\n# \u{0}\n",
      "nvmed.toml:2:3: not TOML: a NUL character; remove it, or save the file as UTF-8"),
  ]
}
