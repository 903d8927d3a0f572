// Package docs holds the documentation to its word: its links lead somewhere, its
// configuration is accepted by the programs that it is for, and its commands are
// run as they stand, or a table says why not.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// Page is what the tests want to know of one Markdown file.
type Page struct {
	// Path is relative to the repository.
	Path string
	// Blocks are the fenced blocks, in order.
	Blocks []Block
	// Links are those to other places, pictures included.
	Links []Link
	// Spans are the pieces of inline code.
	Spans []Span
	// Anchors are what a link may name after "#".
	Anchors map[string]bool
}

// Block is one fenced block.
type Block struct {
	Place
	// Language is the tag of the fence.
	Language string
	// Text is the content, without indentation of the fence.
	Text string
	// Follows says that nothing is between this block and the one before.
	Follows bool
}

// Link is one link or picture.
type Link struct {
	Place
	Destination string
}

// Span is one piece of inline code.
type Span struct {
	Place
	Text string
}

// Place is where something stands.
type Place struct {
	Path    string
	Line    int
	Section string
}

func (p Place) String() string {
	return fmt.Sprintf("%s:%d (%s)", p.Path, p.Line, p.Section)
}

// notPages are directories without pages: what others wrote, or tools left behind.
var notPages = map[string]bool{".git": true, "testdata": true, "node_modules": true, "vendor": true, "dist": true}

// ReadPages reads all Markdown files of the repository.
func ReadPages(root string) ([]*Page, error) {
	var pages []*Page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && notPages[entry.Name()]:
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		page, err := ReadPage(relative, content)
		pages = append(pages, page)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read the pages: %w", err)
	}
	return pages, nil
}

// ReadPage reads one Markdown file as GitHub does.
func ReadPage(path string, source []byte) (*Page, error) {
	r := &reader{source: source, page: &Page{Path: path, Anchors: map[string]bool{}}}
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	err := ast.Walk(root, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering {
			r.visit(node)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	return r.page, nil
}

type reader struct {
	source  []byte
	page    *Page
	section string
}

func (r *reader) visit(node ast.Node) {
	switch node := node.(type) {
	case *ast.Heading:
		r.section = r.plain(node)
		r.addAnchor(slug(r.section))
	case *ast.FencedCodeBlock:
		_, follows := node.PreviousSibling().(*ast.FencedCodeBlock)
		r.page.Blocks = append(r.page.Blocks, Block{
			Place: r.place(node), Language: string(node.Language(r.source)),
			Text: string(node.Lines().Value(r.source)), Follows: follows,
		})
	case *ast.CodeBlock:
		// An indented block has no tag; it is told apart by that.
		r.page.Blocks = append(r.page.Blocks, Block{Place: r.place(node), Text: string(node.Lines().Value(r.source))})
	case *ast.Link:
		r.page.Links = append(r.page.Links, Link{r.place(node), string(node.Destination)})
	case *ast.Image:
		r.page.Links = append(r.page.Links, Link{r.place(node), string(node.Destination)})
	case *ast.AutoLink:
		r.page.Links = append(r.page.Links, Link{r.place(node), string(node.URL(r.source))})
	case *ast.CodeSpan:
		r.page.Spans = append(r.page.Spans, Span{r.place(node), r.plain(node)})
	case *ast.RawHTML:
		r.addNamedAnchors(string(node.Segments.Value(r.source)))
	case *ast.HTMLBlock:
		r.addNamedAnchors(string(node.Lines().Value(r.source)))
	}
}

// place tells the line of a node, or of the nearest one around it that knows.
func (r *reader) place(node ast.Node) Place {
	for at := node; at != nil; at = at.Parent() {
		if position := at.Pos(); position >= 0 {
			line := 1 + strings.Count(string(r.source[:position]), "\n")
			return Place{r.page.Path, line, r.section}
		}
	}
	return Place{r.page.Path, 1, r.section}
}

// plain is the text of a node as a reader sees it.
func (r *reader) plain(node ast.Node) string {
	var b strings.Builder
	for child := node.FirstChild(); child != nil; child = child.NextSibling() {
		switch child := child.(type) {
		case *ast.Text:
			b.Write(child.Value(r.source))
			if child.SoftLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(child.Value)
		default:
			b.WriteString(r.plain(child))
		}
	}
	return b.String()
}
