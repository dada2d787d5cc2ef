package workflows

import "github.com/goccy/go-yaml/ast"

// Standard is the service standard: the fourteen components of UU 25/2009 art. 21
// and PermenPANRB 15/2014. The first six are told to the applicant.
type Standard struct {
	Requirements Text `yaml:"requirements,omitempty"`
	Procedure    Text `yaml:"procedure,omitempty"`
	Duration     Text `yaml:"duration,omitempty"`
	Fee          Text `yaml:"fee,omitempty"`
	Product      Text `yaml:"product,omitempty"`
	Complaints   Text `yaml:"complaints,omitempty"`
	LegalBasis   Text `yaml:"legal_basis,omitempty"`
	Facilities   Text `yaml:"facilities,omitempty"`
	Competence   Text `yaml:"competence,omitempty"`
	Supervision  Text `yaml:"supervision,omitempty"`
	Staffing     Text `yaml:"staffing,omitempty"`
	Guarantee    Text `yaml:"guarantee,omitempty"`
	Safety       Text `yaml:"safety,omitempty"`
	Evaluation   Text `yaml:"evaluation,omitempty"`
}

// Component is one part of a standard, under the key it has in a definition.
type Component struct {
	Key  string
	Text *Text
}

// Components lists the fourteen, in the order of the law.
func (s *Standard) Components() []Component {
	return []Component{
		{"requirements", &s.Requirements},
		{"procedure", &s.Procedure},
		{"duration", &s.Duration},
		{"fee", &s.Fee},
		{"product", &s.Product},
		{"complaints", &s.Complaints},
		{"legal_basis", &s.LegalBasis},
		{"facilities", &s.Facilities},
		{"competence", &s.Competence},
		{"supervision", &s.Supervision},
		{"staffing", &s.Staffing},
		{"guarantee", &s.Guarantee},
		{"safety", &s.Safety},
		{"evaluation", &s.Evaluation},
	}
}

func (r *definitionReader) standard(n ast.Node) *Standard {
	s := &Standard{}
	keys := map[string]func(ast.Node){}
	for _, c := range s.Components() {
		keys[c.Key] = func(n ast.Node) { *c.Text = r.both(n, "standard "+c.Key) }
	}
	r.mapping(n, "standard", nil, keys)
	return s
}
