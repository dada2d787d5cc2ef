// Package deploy has only tests: that the files beside them agree with each other.
package deploy

import (
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// composition is what compose.yaml says. A key that is not here is a mistake, or
// new to this test.
type composition struct {
	Name     string             `yaml:"name"`
	Services map[string]service `yaml:"services"`
	Networks map[string]struct {
		Internal bool `yaml:"internal"`
		IPAM     any  `yaml:"ipam"`
	} `yaml:"networks"`
	Volumes map[string]any `yaml:"volumes"`
	Secrets map[string]struct {
		File string `yaml:"file"`
	} `yaml:"secrets"`
}

type service struct {
	Image           string            `yaml:"image"`
	Build           map[string]string `yaml:"build"`
	Command         []string          `yaml:"command"`
	Entrypoint      []string          `yaml:"entrypoint"`
	User            string            `yaml:"user"`
	EnvFile         []string          `yaml:"env_file"`
	Environment     map[string]string `yaml:"environment"`
	Healthcheck     map[string]any    `yaml:"healthcheck"`
	DependsOn       map[string]needed `yaml:"depends_on"`
	Networks        networks          `yaml:"networks"`
	NetworkMode     string            `yaml:"network_mode"`
	Volumes         []string          `yaml:"volumes"`
	Secrets         []string          `yaml:"secrets"`
	Ports           []string          `yaml:"ports"`
	Restart         string            `yaml:"restart"`
	StopGracePeriod string            `yaml:"stop_grace_period"`
	ReadOnly        bool              `yaml:"read_only"`
	CapDrop         []string          `yaml:"cap_drop"`
	SecurityOpt     []string          `yaml:"security_opt"`
}

type needed struct {
	Condition string `yaml:"condition"`
}

type member struct {
	Address string   `yaml:"ipv4_address"`
	Aliases []string `yaml:"aliases"`
}

// networks are given as a list of names, or as a map if there is more to say.
type networks map[string]member

// UnmarshalYAML reads either form.
func (n *networks) UnmarshalYAML(text []byte) error {
	var names []string
	if yaml.Unmarshal(text, &names) == nil {
		*n = networks{}
		for _, name := range names {
			(*n)[name] = member{}
		}
		return nil
	}
	members := map[string]member{}
	err := yaml.UnmarshalWithOptions(text, &members, yaml.Strict())
	*n = members
	return err
}

func read(t *testing.T) composition {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The first reading puts merged keys into place, the second is strict.
	var merged any
	if err := yaml.UnmarshalWithOptions(text, &merged, yaml.AllowDuplicateMapKey()); err != nil {
		t.Fatal(err)
	}
	if text, err = yaml.Marshal(merged); err != nil {
		t.Fatal(err)
	}
	var c composition
	if err := yaml.UnmarshalWithOptions(text, &c, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := []string{"alur1", "alur2", "certificates", "eventstore1", "eventstore2", "eventstore3", "nats", "postgres"}
	if d := cmp.Diff(want, slices.Sorted(maps.Keys(c.Services))); d != "" {
		t.Fatalf("services (-want +got)\n%s", d)
	}
	return c
}

// pinned is the name of an image with a tag.
var pinned = regexp.MustCompile(`^[a-z0-9./-]+:[A-Za-z0-9._-]+$`)

func TestImagesArePinned(t *testing.T) {
	images := map[string]string{}
	for name, s := range read(t).Services {
		images[name] = s.Image
	}
	dockerfile, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for i, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(string(dockerfile), -1) {
		images["Dockerfile, stage "+string(rune('1'+i))] = from[1]
	}
	if len(images) != 10 {
		t.Errorf("%d images, want 10", len(images))
	}
	for where, image := range images {
		if !pinned.MatchString(image) || strings.HasSuffix(image, ":latest") {
			t.Errorf("%s: image %q has no tag", where, image)
		}
	}
}

// TestNamesExist: what a service names is there, and what is there is named.
func TestNamesExist(t *testing.T) {
	c := read(t)
	used := map[string][]string{}
	for name, s := range c.Services {
		for _, v := range s.Volumes {
			source, _, _ := strings.Cut(v, ":")
			if !strings.HasPrefix(source, ".") {
				used["volumes"] = append(used["volumes"], source)
			} else if _, err := os.Stat(source); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		used["secrets"] = append(used["secrets"], s.Secrets...)
		used["networks"] = slices.AppendSeq(used["networks"], maps.Keys(s.Networks))
		for on, how := range s.DependsOn {
			target, found := c.Services[on]
			switch {
			case !found:
				t.Errorf("%s depends on %s, which is not there", name, on)
			case how.Condition == "service_healthy" && target.Healthcheck["test"] == nil:
				t.Errorf("%s waits for the health of %s, which has no check", name, on)
			case how.Condition == "service_completed_successfully" && target.Restart != "":
				t.Errorf("%s waits for the end of %s, which is started again", name, on)
			case how.Condition != "service_healthy" && how.Condition != "service_completed_successfully":
				t.Errorf("%s depends on %s until %q", name, on, how.Condition)
			}
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(s.Build["context"], s.Build["dockerfile"])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for what, there := range map[string][]string{
		"volumes": slices.Sorted(maps.Keys(c.Volumes)), "secrets": slices.Sorted(maps.Keys(c.Secrets)), "networks": slices.Sorted(maps.Keys(c.Networks)),
	} {
		slices.Sort(used[what])
		if d := cmp.Diff(there, slices.Compact(used[what])); d != "" {
			t.Errorf("%s (-there +named)\n%s", what, d)
		}
	}
}

// TestNothingIsOpen: only Alur is reached from outside, and from this machine only.
func TestNothingIsOpen(t *testing.T) {
	c := read(t)
	if !c.Networks["inside"].Internal {
		t.Error("the inner network is open")
	}
	for name, s := range c.Services {
		isAlur := strings.HasPrefix(name, "alur")
		for _, p := range s.Ports {
			if !isAlur || !strings.HasPrefix(p, "127.0.0.1:") {
				t.Errorf("%s opens %s", name, p)
			}
		}
		if _, edge := s.Networks["edge"]; edge != isAlur {
			t.Errorf("%s is on the outer network: %v", name, edge)
		}
		if s.NetworkMode == "" && s.Healthcheck == nil {
			t.Errorf("%s has no health check", name)
		}
		for _, text := range slices.Concat(s.Command, slices.Collect(maps.Values(s.Environment))) {
			if u, err := url.Parse(strings.TrimPrefix(text, "--db=")); err == nil && u.User != nil {
				if _, has := u.User.Password(); has {
					t.Errorf("%s: a password is in the open", name)
				}
			}
		}
	}
}

// TestANodeHasTheTimeToStop: it is given as long as the operator's manual says that it takes.
func TestANodeHasTheTimeToStop(t *testing.T) {
	manual, err := os.ReadFile("../docs/operators.md")
	if err != nil {
		t.Fatal(err)
	}
	most := regexp.MustCompile(`and (\d+) seconds at most: what would take longer is cut off`).FindSubmatch(manual)
	if most == nil {
		t.Fatal("the manual does not say how long a stop takes")
	}
	c := read(t)
	for _, name := range []string{"alur1", "alur2"} {
		if got, want := c.Services[name].StopGracePeriod, string(most[1])+"s"; got != want {
			t.Errorf("%s has %q to stop, and takes up to %s", name, got, want)
		}
	}
}

// TestClusterKnowsItself: each node of the log says its own address and knows the
// others'.
func TestClusterKnowsItself(t *testing.T) {
	c := read(t)
	nodes := []string{"eventstore1", "eventstore2", "eventstore3"}
	for _, name := range nodes {
		s := c.Services[name]
		var others []string
		for _, other := range nodes {
			if other != name {
				others = append(others, c.Services[other].Networks["inside"].Address+":2113")
			}
		}
		want := map[string]string{
			"EVENTSTORE_CLUSTER_SIZE": "3", "EVENTSTORE_GOSSIP_SEED": strings.Join(others, ","),
			"EVENTSTORE_REPLICATION_IP": s.Networks["inside"].Address, "EVENTSTORE_ADVERTISE_HOST_TO_CLIENT_AS": name,
		}
		for variable, value := range want {
			if got := s.Environment[variable]; got != value {
				t.Errorf("%s: %s is %q, want %q", name, variable, got, value)
			}
		}
		if s.Environment["EVENTSTORE_CERTIFICATE_FILE"] == "" || s.Environment["EVENTSTORE_INSECURE"] != "" {
			t.Errorf("%s has no TLS; the client would send it no password", name)
		}
		if !slices.Contains(s.Networks["inside"].Aliases, "eventstore") {
			t.Errorf("%s is not found under the name that Alur asks for", name)
		}
	}
}

// TestSecrets: secrets.sh makes what the composition wants, readable by nobody
// else, and makes it once.
func TestSecrets(t *testing.T) {
	c := read(t)
	dir := t.TempDir()
	script, err := os.ReadFile("secrets.sh")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "secrets.sh")
	if err := os.WriteFile(path, script, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	wanted := []string{}
	for _, s := range c.Services {
		wanted = append(wanted, s.EnvFile...)
	}
	for name, s := range c.Secrets {
		if name != "kek" { // alur keys new makes it
			wanted = append(wanted, s.File)
		}
	}
	slices.Sort(wanted)
	made, err := filepath.Glob(filepath.Join(dir, "secrets", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i, file := range made {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", file, info.Mode(), err)
		}
		if made[i], err = filepath.Rel(dir, file); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(slices.Compact(wanted), made); d != "" {
		t.Errorf("secrets (-wanted +made)\n%s", d)
	}
	env, err := os.ReadFile(filepath.Join(dir, "secrets", "alur.env"))
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^ALUR_LOG=esdb\+discover://admin:[0-9a-f]{64}@eventstore:2113\?tls=true&tlsCaFile=/trust/ca\.crt$`)
	if !line.Match(env) || !regexp.MustCompile(`(?m)^ALUR_API_TOKEN=[0-9a-f]{64}$`).Match(env) {
		t.Error("alur.env lacks the log or the token")
	}
	if out, err := exec.CommandContext(t.Context(), "sh", path).CombinedOutput(); err == nil {
		t.Errorf("made again: %s", out)
	}
}
