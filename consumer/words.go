package consumer

import (
	_ "embed"
	"strings"

	"qingfu/directory"
)

//go:embed words.txt
var wordsText string

// unfitWords are the words of words.txt.
var unfitWords = readWords(wordsText)

func readWords(text string) (words []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			words = append(words, line)
		}
	}
	return words
}

// unfit returns the words of abuse and advertising in a text, however they are
// spaced or punctuated.
func unfit(text string) (found []string) {
	plain := directory.NormalText(text)
	for _, w := range unfitWords {
		if strings.Contains(plain, w) {
			found = append(found, w)
		}
	}
	return found
}
