extension BadConfiguration {
  /// What is no TOML, of every kind: the parser's words, and what to write.
  static let syntax: [BadConfiguration] = [
    BadConfiguration(
      "[daemon\n",
      "nvmed.toml:1:8: not TOML: expected ']', saw '\\n'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[[controller]\nname=\"a\"\n",
      "nvmed.toml:1:14: not TOML: expected ']', saw '\\n'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[]\n",
      "nvmed.toml:1:2: not TOML: tables with blank bare keys are explicitly prohibited; write a header "
        + "such as [daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[controller.]\n",
      "nvmed.toml:1:13: not TOML: expected bare key starting character or string delimiter, saw ']'; "
        + "write a header such as [daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[daemon]]\n",
      "nvmed.toml:1:9: not TOML: expected a comment or whitespace, saw ']'; write a header such as "
        + "[daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[daemon] x\n",
      "nvmed.toml:1:10: not TOML: expected a comment or whitespace, saw 'x'; write a header such as "
        + "[daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[dae mon]\n",
      "nvmed.toml:1:6: not TOML: expected ']', saw 'm'; write a header such as [daemon] or "
        + "[[controller]], alone in its line"),
    BadConfiguration(
      "[ [controller] ]\n",
      "nvmed.toml:1:3: not TOML: [[array-of-table]] brackets must be contiguous (i.e. [ [ this ] ] is "
        + "prohibited); write a header such as [daemon] or [[controller]], alone in its line"),
    BadConfiguration(
      "[daemon]\nio_threads = 1\nio_threads = 2\n",
      "nvmed.toml:3:14: not TOML: cannot redefine existing integer 'io_threads'; write it once"),
    BadConfiguration(
      "[daemon]\n[daemon]\n",
      "nvmed.toml:2:1: not TOML: cannot redefine existing table 'daemon'; write it once"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[controller]\n",
      "nvmed.toml:3:1: not TOML: cannot redefine existing array 'controller' as table; write [daemon] "
        + "once, and [[controller]] for each controller"),
    BadConfiguration(
      "[controller]\n[[controller]]\n",
      "nvmed.toml:2:1: not TOML: cannot redefine existing table 'controller' as array-of-tables; write "
        + "[daemon] once, and [[controller]] for each controller"),
    BadConfiguration(
      "daemon.io_threads = 1\n[daemon]\nlog_level=\"info\"\n",
      "nvmed.toml:2:1: not TOML: cannot redefine existing table 'daemon'; write it once"),
    BadConfiguration(
      "daemon = 1\n[daemon]\n",
      "nvmed.toml:2:1: not TOML: cannot redefine existing integer 'daemon' as table; write [daemon] "
        + "once, and [[controller]] for each controller"),
    BadConfiguration(
      "daemon = { io_threads = 1 }\n[daemon.x]\n",
      "nvmed.toml:2:12: not TOML: cannot insert 'daemon.x' into existing inline table; write the keys "
        + "of a table in one place"),
    BadConfiguration(
      "controller = []\n[[controller]]\nname=\"a\"\n",
      "nvmed.toml:2:1: not TOML: cannot redefine existing array 'controller' as array-of-tables; write "
        + "[daemon] once, and [[controller]] for each controller"),
    BadConfiguration(
      "[daemon]\nio_threads 1\n",
      "nvmed.toml:2:12: not TOML: expected '=', saw '1'; write io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads: 1\n",
      "nvmed.toml:2:11: not TOML: expected '=', saw ':'; write io_threads = 1"),
    BadConfiguration(
      "daemon:\n  io_threads: 1\n",
      "nvmed.toml:1:7: not TOML: expected '=', saw ':'; write key = value"),
    BadConfiguration(
      "export X=1\n",
      "nvmed.toml:1:8: not TOML: expected '=', saw 'X'; write key = value"),
    BadConfiguration(
      "[daemon]\nio_threads =\n",
      "nvmed.toml:2:13: not TOML: expected value, saw '\\n'; write a value behind '='"),
    BadConfiguration(
      "[daemon]\n= 1\n",
      "nvmed.toml:2:1: not TOML: expected keys, tables, whitespace or comments, saw '='; write a key before '='"),
    BadConfiguration(
      "[daemon]\nio_threads = 1 log_level = \"info\"\n",
      "nvmed.toml:2:16: not TOML: expected a comment or whitespace, saw 'l'; write nothing but a "
        + "comment behind the value: io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads = 1;\n",
      "nvmed.toml:2:15: not TOML: expected digit, saw ';'; write nothing but a comment behind the "
        + "value: io_threads = 1"),
    BadConfiguration(
      "[daemon]\nio_threads = 1,\n",
      "nvmed.toml:2:15: not TOML: expected a comment or whitespace, saw ','; write nothing but a "
        + "comment behind the value: io_threads = 1"),
    BadConfiguration(
      "[daemon]\nlog_level = info\n",
      "nvmed.toml:2:16: not TOML: expected value-terminator, saw 'o'; write texts in quotes: log_level = \"info\""),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[[controller.namespace]]\nimage=\"/a\"\nread_only = True\n",
      "nvmed.toml:5:13: not TOML: expected 'true', saw 'T'; write read_only = true"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\n[[controller.namespace]]\nimage=\"/a\"\nread_only = yes\n",
      "nvmed.toml:5:13: not TOML: could not determine value type; write read_only = true"),
    BadConfiguration(
      "x = on\n",
      "nvmed.toml:1:5: not TOML: could not determine value type; write x = true"),
    BadConfiguration(
      "x = null\n",
      "nvmed.toml:1:6: not TOML: expected 'nan', saw 'nu'; leave the key out where it has no value"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nmax_data_transfer = 512KiB\n",
      "nvmed.toml:3:24: not TOML: expected digit, saw 'K'; write a value with a unit in quotes: "
        + "max_data_transfer = \"512KiB\""),
    BadConfiguration(
      "[daemon]\nlog_level = \"info\n",
      "nvmed.toml:2:18: not TOML: unescaped control characters other than TAB (U+0009) are explicitly "
        + "prohibited; end the text with \" in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = 'info\n",
      "nvmed.toml:2:18: not TOML: control characters other than TAB (U+0009) are explicitly "
        + "prohibited; end the text with ' in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\"\"info\n",
      "nvmed.toml:2:21: not TOML: encountered end-of-file; end the text with \"\"\""),
    BadConfiguration(
      "[daemon]\nlog_level = \"a\"b\"\n",
      "nvmed.toml:2:16: not TOML: expected a comment or whitespace, saw 'b'; write nothing behind the "
        + "text in its line"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\q\"\n",
      "nvmed.toml:2:15: not TOML: unknown escape sequence '\\q'; write \\\\ for a backslash, or the text "
        + "in single quotes: '...'"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nsocket = \"C:\\Users\"\n",
      "nvmed.toml:3:15: not TOML: expected hex digit, saw 's'; write \\\\ for a backslash, or the text "
        + "in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\ud800\"\n",
      "nvmed.toml:2:20: not TOML: unicode surrogates (U+D800 - U+DFFF) are explicitly prohibited; "
        + "write \\\\ for a backslash, or the text in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"\\U00110000\"\n",
      "nvmed.toml:2:24: not TOML: values greater than U+10FFFF are invalid; write \\\\ for a backslash, "
        + "or the text in single quotes: '...'"),
    BadConfiguration(
      "[daemon]\nlog_level = \"a\u{1}b\"\n",
      "nvmed.toml:2:15: not TOML: unescaped control characters other than TAB (U+0009) are explicitly "
        + "prohibited; remove what is no plain character of the text"),
    BadConfiguration(
      "# \u{1}\n",
      "nvmed.toml:1:3: not TOML: control characters other than TAB (U+0009) are explicitly prohibited "
        + "in comments; remove the character"),
    BadConfiguration(
      "[daemon]\nio_threads = 01\n",
      "nvmed.toml:2:16: not TOML: leading zeroes are prohibited; write a whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = ++1\n",
      "nvmed.toml:2:15: not TOML: expected expected digit or sign, saw '+'; write a whole number such "
        + "as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1__0\n",
      "nvmed.toml:2:16: not TOML: underscores may only follow digits; write a whole number such as 16, "
        + "or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1.\n",
      "nvmed.toml:2:16: not TOML: expected decimal digit, saw '\\n'; write a whole number such as 16, "
        + "or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 1e999\n",
      "nvmed.toml:2:19: not TOML: '1e999' could not be interpreted as a value; write a whole number "
        + "such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 9223372036854775808\n",
      "nvmed.toml:2:33: not TOML: '9223372036854775808' is not representable in 64 bits; write a whole "
        + "number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = -9223372036854775809\n",
      "nvmed.toml:2:34: not TOML: '9223372036854775809' is not representable in 64 bits; write a whole "
        + "number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 0o9\n",
      "nvmed.toml:2:16: not TOML: expected digit, saw '9'; write a whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 0xg\n",
      "nvmed.toml:2:16: not TOML: expected digit, saw 'g'; write a whole number such as 16, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1, 2\n",
      "nvmed.toml:2:17: not TOML: encountered end-of-file; write a list such as [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1,,2]\n",
      "nvmed.toml:2:14: not TOML: expected value or closing ']', saw comma; write a list such as [2, 3]"),
    BadConfiguration(
      "[daemon]\nio_cpus = [1 2]\n",
      "nvmed.toml:2:14: not TOML: expected comma or closing ']', saw '2'; write a list such as [2, 3]"),
    BadConfiguration(
      "[[controller]]\nname=\"a\"\nnamespace = [{ image = \"/a\" ]\n",
      "nvmed.toml:3:29: not TOML: expected key or closing '}', saw ']'; write { key = value, key = "
        + "value }, in one line"),
    BadConfiguration(
      "controller = [{ name = \"a\", }]\n",
      "nvmed.toml:1:29: not TOML: expected key-value pair, saw closing '}' (dangling comma); write { "
        + "key = value, key = value }, in one line"),
    BadConfiguration(
      "controller = [{ name = \"a\"\n}]\n",
      "nvmed.toml:1:27: not TOML: expected key or closing '}', saw '\\n'; write { key = value, key = "
        + "value }, in one line"),
    BadConfiguration(
      "[daemon]\nio_threads = 2026-13-45\n",
      "nvmed.toml:2:21: not TOML: expected month between 1 and 12 (inclusive), saw 13; no key takes a "
        + "date or time; write a number, or a text in quotes"),
    BadConfiguration(
      "[daemon]\nio_threads = 25:00:00\n",
      "nvmed.toml:2:16: not TOML: expected hour between 0 to 59 (inclusive), saw 25; no key takes a "
        + "date or time; write a number, or a text in quotes"),
    BadConfiguration(
      "{ \"daemon\": { \"io_threads\": 1 } }\n",
      "nvmed.toml:1:1: not TOML: expected keys, tables, whitespace or comments, saw '{'; a file is "
        + "lines of key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "<nvmed/>\n",
      "nvmed.toml:1:1: not TOML: expected keys, tables, whitespace or comments, saw '<'; a file is "
        + "lines of key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "; comment\n[daemon]\n",
      "nvmed.toml:1:1: not TOML: expected keys, tables, whitespace or comments, saw ';'; a file is "
        + "lines of key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "😀 = 1\n",
      "nvmed.toml:1:1: not TOML: expected keys, tables, whitespace or comments, saw '😀'; a file is "
        + "lines of key = value below headers such as [daemon]; comments begin with #"),
    BadConfiguration(
      "[daemon]\nio_threads\u{a0}= 1\n",
      "nvmed.toml:2:11: not TOML: expected space or tab, saw '\\u00A0'; write plain spaces, quotes and letters"),
    BadConfiguration(
      "[daemon]\nlog_level = “info”\n",
      "nvmed.toml:2:13: not TOML: could not determine value type; write straight quotes: \"...\""),
    BadConfiguration(
      "[daemon]\rio_threads = 1\r",
      "nvmed.toml:1:10: not TOML: expected '\\n' after '\\r', saw 'i'; end lines with LF or CR LF"),
    BadConfiguration(
      "x = " + String(repeating: "[", count: 400) + String(repeating: "]", count: 400),
      "nvmed.toml:1:261: not TOML: exceeded maximum nested value depth of 256 "
        + "(TOML_MAX_NESTED_VALUES); no value of a configuration is nested like this"),
    BadConfiguration(
      "x = " + String(repeating: "{a=", count: 400) + "1" + String(repeating: "}", count: 400),
      "nvmed.toml:1:773: not TOML: exceeded maximum nested value depth of 256 "
        + "(TOML_MAX_NESTED_VALUES); no value of a configuration is nested like this"),
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
