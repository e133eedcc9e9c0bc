# says.awk - whether a layout document has a table with a column, and in it a row with a word (`column`, `word`): 1.
# Without a word the column is enough. Titles and cells are read as tools/layout/markdown.c reads them.

function bare(text) {
    gsub(/^[ \t\r]+|[ \t\r]+$/, "", text)
    if (text ~ /^`[^`]*`$/)
        text = substr(text, 2, length(text) - 2)
    if (text ~ /^\*\*.*\*\*$/ && length(text) >= 4)
        text = substr(text, 3, length(text) - 4)
    return tolower(text)
}

/^[ \t]*(```|~~~)/ { fenced = !fenced; inside = 0; next }
fenced             { next }
!/^[ \t]*\|/       { inside = 0; next }

{
    gsub(/\\\|/, " ")
    count = split($0, cells, "|")
    if (inside) {
        if (at > 0 && bare(cells[at]) == word)
            found = 1
        next
    }
    inside = 1
    at = 0
    for (i = 2; i <= count; i++)
        if (bare(cells[i]) == column)
            at = i
    if (at > 0 && word == "")
        found = 1
}

END { if (found) print 1 }
