// Package statements cuts SQL into statements, apart from the database that runs them.
package statements

import "strings"

// Split returns the statements of a text that end in a semicolon, without it, and what
// follows the last one. Semicolons in texts, names in quotes and comments end nothing.
func Split(text string) (whole []string, rest string) {
	start := 0
	for i := 0; i < len(text); {
		if text[i] == ';' {
			whole = append(whole, text[start:i])
			start = i + 1
		}
		i += token(text[i:])
	}
	return whole, text[start:]
}

// Blank says whether a statement has nothing to run: blanks and comments alone.
func Blank(statement string) bool {
	for statement != "" {
		n := token(statement)
		if !isComment(statement) && strings.TrimSpace(statement[:n]) != "" {
			return false
		}
		statement = statement[n:]
	}
	return true
}

// First returns the first word of a statement, in lower case.
func First(statement string) string {
	for statement != "" && (isComment(statement) || strings.TrimSpace(statement[:1]) == "") {
		statement = statement[token(statement):]
	}
	end := strings.IndexFunc(statement, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if end < 0 {
		end = len(statement)
	}
	return strings.ToLower(statement[:end])
}

func isComment(text string) bool {
	return strings.HasPrefix(text, "--") || strings.HasPrefix(text, "/*")
}

// token returns the length of what the text begins with: a text in quotes, a comment, or
// a single byte. What has no end takes all.
func token(text string) int {
	switch {
	case text[0] == '\'' || text[0] == '"':
		// A doubled quote is two texts in a row, which come to the same.
		return upTo(text, 1, text[:1])
	case strings.HasPrefix(text, "--"):
		return upTo(text, 2, "\n")
	case strings.HasPrefix(text, "/*"):
		return upTo(text, 2, "*/")
	case text[0] == '$':
		return dollars(text)
	}
	return 1
}

// dollars is the length of $$text$$ or $tag$text$tag$, of the dollar alone elsewhere.
func dollars(text string) int {
	end := strings.IndexByte(text[1:], '$')
	if end < 0 || strings.ContainsFunc(text[1:1+end], func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		return 1
	}
	if end > 0 && text[1] >= '0' && text[1] <= '9' { // $1 is a parameter
		return 1
	}
	tag := text[:end+2]
	return upTo(text, len(tag), tag)
}

// upTo is the length of text to the end of the first mark from start on.
func upTo(text string, start int, mark string) int {
	if i := strings.Index(text[start:], mark); i >= 0 {
		return start + i + len(mark)
	}
	return len(text)
}
