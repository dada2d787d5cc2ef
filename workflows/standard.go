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

// Component is one part of a standard, under the key it has in a definition and the name
// that PermenPANRB 15/2014 gives it.
type Component struct {
	Key  string
	Text *Text
	Name Text
}

// Components lists the fourteen, in the order of a definition.
func (s *Standard) Components() []Component {
	return []Component{
		{"requirements", &s.Requirements, Text{"Persyaratan", "Requirements"}},
		{"procedure", &s.Procedure, Text{"Sistem, mekanisme, dan prosedur", "Procedure"}},
		{"duration", &s.Duration, Text{"Jangka waktu penyelesaian", "Time it takes"}},
		{"fee", &s.Fee, Text{"Biaya/tarif", "Cost"}},
		{"product", &s.Product, Text{"Produk pelayanan", "What is given"}},
		{"complaints", &s.Complaints, Text{"Penanganan pengaduan, saran, dan masukan", "Complaints, suggestions and comments"}},
		{"legal_basis", &s.LegalBasis, Text{"Dasar hukum", "Legal basis"}},
		{"facilities", &s.Facilities, Text{"Sarana, prasarana, dan/atau fasilitas", "Premises and facilities"}},
		{"competence", &s.Competence, Text{"Kompetensi pelaksana", "Competence of the staff"}},
		{"supervision", &s.Supervision, Text{"Pengawasan internal", "Internal supervision"}},
		{"staffing", &s.Staffing, Text{"Jumlah pelaksana", "Number of staff"}},
		{"guarantee", &s.Guarantee, Text{"Jaminan pelayanan", "Guarantee of the service"}},
		{"safety", &s.Safety, Text{"Jaminan keamanan dan keselamatan pelayanan", "Guarantee of security and safety"}},
		{"evaluation", &s.Evaluation, Text{"Evaluasi kinerja pelaksana", "Evaluation of the staff"}},
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
