/// How drawings and the page look.
enum StyleSheet {
    /// The colours of a light ground, for a drawing in a file of its own.
    static let drawing = classes(
        ink: "#1b1f24", muted: "#57606a", line: "#6e7781", grid: "#e5e8ec", ground: "#ffffff",
        empty: "#eef0f2")

    /// For drawings on the page, which takes its colours from variables.
    private static let drawingOnPage = classes(
        ink: "var(--ink)", muted: "var(--muted)", line: "var(--line)", grid: "var(--grid)",
        ground: "var(--ground)", empty: "var(--empty)")

    private static func classes(
        ink: String, muted: String, line: String, grid: String, ground: String, empty: String
    ) -> String {
        """
        .drawing text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",Arial,sans-serif;\
        font-size:11px;fill:\(ink);font-variant-numeric:tabular-nums}
        .drawing .muted{fill:\(muted)}
        .drawing .strong{font-weight:600}
        .drawing .axis{stroke:\(line);stroke-width:1}
        .drawing .grid{stroke:\(grid);stroke-width:1}
        .drawing .surface{fill:\(ground)}
        .drawing .empty{fill:\(empty)}
        .drawing .isoline{fill:none;stroke:#ffffff;stroke-opacity:.9;stroke-width:1.1}
        .drawing .plate{fill:#ffffff;fill-opacity:.86}
        .drawing .level{fill:#1b1f24;font-size:9.5px}
        .drawing .node{fill:#1b1f24;stroke:#ffffff;stroke-width:1}
        .drawing .cross{fill:none;stroke:\(ink);stroke-width:1.6}
        """
    }

    static let page = """
        :root{color-scheme:light dark;--ink:#1b1f24;--muted:#57606a;--line:#6e7781;--grid:#e5e8ec;--ground:#ffffff;\
        --empty:#eef0f2;--soft:#f6f8fa;--accent:#0b5cad;--warning:#9a3412}
        @media (prefers-color-scheme:dark){:root{--ink:#e6e9ec;--muted:#9da7b1;--line:#7d8690;--grid:#2d333a;\
        --ground:#14171b;--empty:#23282e;--soft:#1c2026;--accent:#6cb6ff;--warning:#f5a06a}}
        *{box-sizing:border-box}
        body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",\
        Roboto,"Liberation Sans",Arial,sans-serif}
        main{max-width:62rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
        h1{font-size:1.75rem;line-height:1.2;margin:0 0 .5rem}
        h2{font-size:1.25rem;margin:3rem 0 1rem;padding-top:1rem;border-top:1px solid var(--grid)}
        p{max-width:44rem}
        a{color:var(--accent)}
        nav{margin:1rem 0 0;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;font-size:.95rem}
        figure,.table{margin:0 0 2.5rem}
        figcaption{color:var(--muted);font-size:.9rem;line-height:1.5;max-width:52rem;margin-top:.6rem}
        .table figcaption{margin:0 0 .6rem}
        figcaption b{color:var(--ink)}
        .scroll{overflow-x:auto}
        .drawing{display:block;max-width:100%;height:auto}
        table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}
        th,td{padding:.3rem .55rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--grid)}
        thead th{font-weight:600;border-bottom-color:var(--line)}
        thead .group{text-align:center;border-bottom-color:var(--grid)}
        tbody th,th.name{text-align:left;font-weight:400}
        tbody tr.first>*{border-top:1px solid var(--line)}
        .begin{padding-left:1.4rem}
        td.best{font-weight:700}
        td.missing{color:var(--warning)}
        .facts th{vertical-align:top;color:var(--muted)}
        .facts td{text-align:left;white-space:normal}
        pre{background:var(--soft);padding:1rem;overflow-x:auto;font-size:.85rem;line-height:1.5;border-radius:6px}
        details{margin:1rem 0}
        summary{cursor:pointer}
        .missing-figure{background:var(--soft);border-left:3px solid var(--warning);padding:.75rem 1rem;\
        margin:0 0 2.5rem;max-width:44rem}
        @media print{main{max-width:none;padding:0}h2{break-after:avoid}figure,.table{break-inside:avoid}}
        """ + "\n" + drawingOnPage
}
