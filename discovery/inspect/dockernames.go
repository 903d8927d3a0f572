package inspect

import (
	"regexp"
	"slices"
	"strings"
)

var twoWords = regexp.MustCompile(`^[a-z]+_[a-z]+\d?$`)

// dockerAdjectives are the first words of the names that Docker and Podman make
// up for containers without one (moby's namesgenerator), as in quirky_euler.
const dockerAdjectives = `admiring adoring affectionate agitated amazing angry awesome beautiful blissful bold
boring brave busy charming clever compassionate competent condescending confident cool cranky crazy dazzling
determined distracted dreamy eager ecstatic elastic elated elegant eloquent epic exciting fervent festive
flamboyant focused friendly frosty funny gallant gifted goofy gracious great happy hardcore heuristic hopeful
hungry infallible inspiring intelligent interesting jolly jovial keen kind laughing loving lucid magical modest
musing mystifying naughty nervous nice nifty nostalgic objective optimistic peaceful pedantic pensive practical
priceless quirky quizzical recursing relaxed reverent romantic sad serene sharp silly sleepy stoic strange
stupefied suspicious sweet tender thirsty trusting unruffled upbeat vibrant vigilant vigorous wizardly wonderful
xenodochial youthful zealous zen`

// madeUpByDocker recognises a random name. It changes each time the container
// is made anew, so it would start a new set of series each time.
func madeUpByDocker(name string) bool {
	if !twoWords.MatchString(name) {
		return false
	}
	adjective, _, _ := strings.Cut(name, "_")
	return slices.Contains(strings.Fields(dockerAdjectives), adjective)
}
