package docs

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Step is one command that a page tells its reader to type.
type Step struct {
	Place
	// Command is what stands there, on one line where it is a single command.
	Command string
}

// Example is a block of commands, and what the page says that they print.
type Example struct {
	Steps []Step
	// Shown is the output on the page; empty if none is shown.
	Shown string
}

// Examples finds a page's commands: blocks tagged sh, with the output in a block
// tagged text right behind, and blocks tagged console, with both in one.
func Examples(page *Page) ([]Example, error) {
	var examples []Example
	for i, block := range page.Blocks {
		var found []Example
		var err error
		switch block.Language {
		case "sh":
			found, err = shellExample(block)
			if i+1 < len(page.Blocks) && page.Blocks[i+1].Language == "text" && page.Blocks[i+1].Follows {
				found[len(found)-1].Shown = page.Blocks[i+1].Text
			}
		case "console":
			found, err = consoleExamples(block)
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", block.Place, err)
		}
		examples = append(examples, found...)
	}
	return examples, nil
}

func shellExample(block Block) ([]Example, error) {
	steps, err := splitCommands(block.Place, block.Text)
	return []Example{{Steps: steps}}, err
}

// consoleExamples takes what follows a prompt as a command, and all else as output.
func consoleExamples(block Block) ([]Example, error) {
	const prompt = "$ "
	var examples []Example
	place := block.Place
	for line := range strings.Lines(block.Text) {
		place.Line++
		command, isCommand := strings.CutPrefix(line, prompt)
		switch {
		case isCommand:
			before := place
			before.Line--
			steps, err := splitCommands(before, command)
			if err != nil {
				return nil, err
			}
			examples = append(examples, Example{Steps: steps})
		case len(examples) == 0:
			return nil, fmt.Errorf("a console block begins with a prompt, %q", prompt)
		default:
			examples[len(examples)-1].Shown += line
		}
	}
	return examples, nil
}

// splitCommands cuts a block into what a reader would send off with Enter. The
// block begins on the line after the place.
func splitCommands(place Place, text string) ([]Step, error) {
	file, err := syntax.NewParser().Parse(strings.NewReader(text), "")
	if err != nil {
		return nil, fmt.Errorf("the shell does not understand this: %w", err)
	}
	var steps []Step
	var end *syntax.Stmt
	for _, statement := range file.Stmts {
		source := text[statement.Pos().Offset():statementEnd(statement)]
		if end != nil && statement.Pos().Line() == end.End().Line() {
			steps[len(steps)-1].Command += "; " + source
		} else {
			at := place
			at.Line += int(statement.Pos().Line())
			steps = append(steps, Step{at, source})
		}
		end = statement
	}
	for i := range steps {
		steps[i].Command = joinLines(steps[i].Command)
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("there is no command in this block")
	}
	return steps, nil
}

// statementEnd is where a statement ends, here-documents included, a semicolon not.
func statementEnd(statement *syntax.Stmt) uint {
	if statement.Semicolon.IsValid() && !statement.Background {
		return statement.Semicolon.Offset()
	}
	end := statement.End().Offset()
	syntax.Walk(statement, func(node syntax.Node) bool {
		if redirect, ok := node.(*syntax.Redirect); ok && redirect.Hdoc != nil {
			end = max(end, redirect.Hdoc.End().Offset()+uint(len(redirect.Word.Lit())))
		}
		return true
	})
	return end
}

// joinLines takes out the continuations of a long command.
func joinLines(command string) string {
	before, after, found := strings.Cut(command, "\\\n")
	if !found {
		return strings.TrimSpace(command)
	}
	return strings.TrimSpace(before) + " " + joinLines(after)
}
