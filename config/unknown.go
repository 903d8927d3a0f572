package config

import (
	"slices"
	"strings"
)

// maxGuess is the longest key for which a suggestion is looked for.
const maxGuess = 64

// nearest returns the candidate that a person who wrote name most likely
// meant, or an empty string if none is close.
func nearest(name string, candidates []string) string {
	if len(name) > maxGuess {
		return ""
	}
	written := strings.ReplaceAll(strings.ToLower(name), "-", "_")
	best, bestDistance := "", 1+max(1, len(written)/3)
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if d := editDistance(written, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	if best != "" || len(written) < 4 {
		return best
	}
	for _, candidate := range slices.Sorted(slices.Values(candidates)) {
		if strings.Contains(candidate, written) || strings.Contains(written, candidate) {
			return candidate
		}
	}
	return ""
}

// editDistance counts the insertions, deletions, replacements and swaps of
// neighbours (optimal string alignment) that turn a into b.
func editDistance(a, b string) int {
	var beforeLast, last []int
	current := make([]int, len(b)+1)
	for j := range current {
		current[j] = j
	}
	for i := 1; i <= len(a); i++ {
		beforeLast, last, current = last, current, make([]int, len(b)+1)
		current[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := last[j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			current[j] = min(last[j]+1, current[j-1]+1, replaced)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], beforeLast[j-2]+1)
			}
		}
	}
	return current[len(b)]
}
