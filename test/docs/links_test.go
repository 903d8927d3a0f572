package docs

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLinks: every link leads to a file of the repository and a heading in it, or
// is a well-formed address elsewhere.
func TestLinks(t *testing.T) {
	pages, root := readAll(t)
	byPath := map[string]*Page{}
	for _, page := range pages {
		byPath[page.Path] = page
	}
	for _, page := range pages {
		t.Run(page.Path, func(t *testing.T) {
			for _, link := range page.Links {
				if err := follow(root, byPath, link); err != nil {
					t.Errorf("%v: link to %q: %v", link.Place, link.Destination, err)
				}
			}
		})
	}
}

// follow tells why a link leads nowhere.
func follow(root string, pages map[string]*Page, link Link) error {
	target, err := url.Parse(link.Destination)
	if err != nil {
		return fmt.Errorf("this is no address: %w", err)
	}
	if target.Scheme != "" {
		return followOutside(target)
	}
	if target.Host != "" || strings.HasPrefix(target.Path, "/") {
		return fmt.Errorf("it is absolute; write it relative to the page")
	}
	path := link.Path
	if target.Path != "" {
		path = filepath.Join(filepath.Dir(link.Path), target.Path)
	}
	if !filepath.IsLocal(path) {
		return fmt.Errorf("it leads out of the repository")
	}
	content, err := os.Stat(filepath.Join(root, path))
	if err != nil {
		return fmt.Errorf("there is no file %s", path)
	}
	if target.Fragment == "" {
		return nil
	}
	page := pages[path]
	switch {
	case page == nil && !content.IsDir() && regexp.MustCompile(`^L\d+$`).MatchString(target.Fragment):
		return nil
	case page == nil:
		return fmt.Errorf("%s is no page, so it has no heading #%s", path, target.Fragment)
	case !page.Anchors[target.Fragment]:
		return fmt.Errorf("%s has no heading #%s", path, target.Fragment)
	}
	return nil
}

func followOutside(target *url.URL) error {
	switch target.Scheme {
	case "mailto":
		return nil
	case "http", "https":
		if target.Hostname() == "" {
			return fmt.Errorf("it names no host")
		}
		return nil
	}
	return fmt.Errorf("browsers do not follow %s: links", target.Scheme)
}

// TestFollow: broken links are found.
func TestFollow(t *testing.T) {
	const text = "# A page\n\n## `--flag`, and *more*\n\n## Twice\n\n## Twice\n\n<a id=\"here\"></a> text\n"
	page, err := ReadPage("docs/a.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, name := range []string{"docs/a.md", "main.go"} {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for destination, want := range map[string]string{
		"a.md": "", "#a-page": "", "a.md#--flag-and-more": "", "#twice": "", "#twice-1": "", "#here": "",
		"../main.go": "", "../": "", "../main.go#L3": "", "https://prometheus.io/docs": "", "mailto:a@example.com": "",
		"b.md": "no file", "#nowhere": "no heading", "#twice-2": "no heading", "../main.go#x": "no page",
		"/docs/a.md": "absolute", "//host/a.md": "absolute", "../../x": "out of the repository",
		"file:///etc/passwd": "do not follow", "https://": "no host", "http://a b": "no address",
	} {
		err := follow(root, map[string]*Page{page.Path: page}, Link{Place{Path: page.Path}, destination})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("link to %q: got %v, want %q", destination, err, want)
		}
	}
}
