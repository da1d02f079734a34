use super::reader::LONGEST;
use super::*;

fn rows(text: &[u8]) -> Result<Vec<Row>, RowFault> {
    let mut reader = TableReader::new(text)?;
    std::iter::from_fn(|| reader.row().transpose()).collect()
}

fn texts(text: &str) -> Vec<Vec<String>> {
    let rows = rows(text.as_bytes()).unwrap();
    rows.into_iter().map(|row| row.cells.into_iter().map(|cell| cell.text).collect()).collect()
}

#[test]
fn what_rfc_4180_allows_is_read() {
    for (text, expected) in [
        ("", vec![]),
        ("\u{feff}a,b\n1,2\n", vec![vec!["a", "b"], vec!["1", "2"]]),
        ("a,b\r\n1,\r\n", vec![vec!["a", "b"], vec!["1", ""]]),
        ("a\r1\r", vec![vec!["a"], vec!["1"]]),
        ("a\n\n\r\n1", vec![vec!["a"], vec!["1"]]),
        ("\"a,\"\"b\"\"\",c\n", vec![vec!["a,\"b\"", "c"]]),
        ("\"\",\"two\r\nlines\"\n", vec![vec!["", "two\r\nlines"]]),
        (",\n , \n\"\",\n,", vec![vec!["", ""], vec!["", ""]]),
        (" a , b\n", vec![vec![" a ", " b"]]),
    ] {
        assert_eq!(texts(text), expected, "{text:?}");
    }
}

#[test]
fn what_it_does_not_allow_has_its_line() {
    for (text, line, words) in [
        ("a,b\n\"x,1\n\"y\",2\n", 2, "opened here and closed in line 3 with text behind it"),
        ("a,b\n\"x,1\n\"\",2\n\"z\",3\n", 2, "opened here and closed in line 4"),
        ("a,b\nx,\"1\ny,2\n", 2, "closed nowhere"),
        ("a,b\nx,\"\"\"", 2, "closed nowhere"),
        ("a,b\n\"x\" ,1\n", 2, "text behind a closing quote"),
        ("a,b\nx\",1\n", 2, "an opening quote missing"),
        ("a,b\n \"x\",1\n", 2, "does not begin with one"),
        ("a,b\r\n\r\n\"x\r\ny\",1\r\nz\",2\r\n", 5, "an opening quote missing"),
        ("\"id\";\"email\"\n", 1, "separated by `;`"),
        ("a\0\n", 1, "a NUL byte"),
    ] {
        let fault = rows(text.as_bytes()).unwrap_err();
        assert!(fault.line == line && fault.found.contains(words), "{text:?}: {fault:?}");
    }
    for (bytes, words) in [
        (&b"\xFF\xFEi\0d\0"[..], "UTF-16"),
        (b"\xFE\xFF\0i", "UTF-16"),
        (b"i\0d\0", "UTF-16"),
        (b"id\xE4", "not UTF-8"),
    ] {
        let fault = rows(bytes).unwrap_err();
        assert!(fault.line == 1 && fault.found.contains(words), "{bytes:?}: {fault:?}");
    }
}

#[test]
fn a_row_without_an_end_is_not_kept_in_memory() {
    let text = format!("a,b\n\"{}", "x\n".repeat(LONGEST));
    assert!(rows(text.as_bytes()).unwrap_err().found.contains("a row of over"));
}

#[test]
fn after_quotes_nothing_is_clear_and_after_other_faults_the_rest_is() {
    let mut lost = TableReader::new(&b"a\nx\"\ny\n"[..]).unwrap();
    let mut odd = TableReader::new(&b"a\n\xE4\ny\n"[..]).unwrap();
    for reader in [&mut lost, &mut odd] {
        reader.row().unwrap();
        reader.row().unwrap_err();
    }
    assert!(lost.row().unwrap().is_none() && odd.row().unwrap().is_some_and(|row| row.line == 3));
}

#[test]
fn rows_know_where_they_begin_and_how_they_end() {
    let rows = rows("\u{feff}a,b\r\n\"1\n2\",\n3,".as_bytes()).unwrap();
    let known: Vec<_> = rows.iter().map(|row| (row.line, row.offset, row.unended)).collect();
    assert_eq!(known, [(1, 3, false), (2, 8, false), (4, 15, true)]);
    assert_eq!(rows[1].cells[1].line, 3);
}

#[test]
fn rows_that_a_cell_holds_are_told() {
    for (row, swallowed) in [
        ("1,a@x,\"Ada,ada.jpg\n2,b@x,Alan\",alan.jpg", true),
        ("\"1,a@x,Ada,ada.jpg\n2\",b@x,Alan,alan.jpg", true),
        ("1,a@x,Ada,\"ada.jpg\n2,b@x,Alan,alan.jpg\"", true),
        ("1,a@x,\"Ada\nLovelace\",ada.jpg", false),
        ("1,a@x,\"Lovelace, Ada\nSales\",ada.jpg", false),
        ("1,a@x,\"Lovelace, Ada\",ada.jpg", false),
    ] {
        let rows = rows(row.as_bytes()).unwrap();
        assert_eq!(rows[0].swallowed().is_some(), swallowed, "{row:?}");
    }
}

#[test]
fn a_first_line_is_a_header_or_says_what_it_is() {
    let columns = ["id", "photo"];
    for (text, found) in [
        ("id,photo\n", Ok(1)),
        ("ID, Photo\n", Ok(1)),
        ("sep=,\r\nid\r\n", Ok(2)),
        ("\"SEP=,\"\n\nid\n", Ok(3)),
        (",,\nid,,\n", Ok(2)),
        ("id", Ok(1)),
        ("", Err("the header is missing: write `id,photo`")),
        ("sep=,\n", Err("the header is missing")),
        ("ID;Photo", Err("separated by `;`")),
        ("id\tname", Err("separated by tabs")),
        ("id|photo", Err("separated by `|`")),
        ("sep=;\nid;photo\n", Err("separated by `;`")),
        ("sep=", Err("a line for Excel")),
        ("1,ada.jpg\n2,bob.jpg\n", Err("no column of the table is named here")),
        ("idea;photograph", Err("no column of the table is named here")),
    ] {
        let read = header(&mut TableReader::new(text.as_bytes()).unwrap(), &columns);
        match (read, found) {
            (Ok(row), Ok(line)) => assert_eq!(row.line, line, "{text:?}"),
            (Err(fault), Err(words)) => assert!(fault.found.contains(words), "{text:?}: {fault:?}"),
            (read, _) => panic!("{text:?}: {read:?}"),
        }
    }
}

#[test]
fn what_nobody_sees_is_named() {
    for (text, words) in [
        ("ada@example.com", None),
        ("zoe\u{308} O'Brien", None),
        ("ada\u{200b}", Some("a zero-width space (U+200B)")),
        ("\u{a0}ada", Some("a no-break space (U+00A0)")),
        ("\u{feff}ada", Some("a byte-order mark (U+FEFF)")),
        ("a\u{ad}da", Some("a soft hyphen (U+00AD)")),
        ("a\u{202e}da", Some("a mark of text direction (U+202E)")),
        ("a\tda", Some("a control character (U+0009)")),
        ("a\u{2003}da", Some("a blank that is not the plain one (U+2003)")),
    ] {
        assert_eq!(odd_sign(text).as_deref(), words, "{text:?}");
    }
}
