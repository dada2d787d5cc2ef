package digit

import (
	"slices"
	"strings"
	"unicode"

	"github.com/alur-id/alur/domain"
	"github.com/alur-id/alur/workflows"
)

// The tables by which the words of DIGIT are read. They are documented in
// docs/agencies/import-digit.md, which a test compares with them.

// digitWords is a row of a table: what a name means that holds one of the words.
type digitWords[T any] struct {
	words []string
	means T
}

// The first row that fits counts. A name is compared without what is no letter:
// some files write SENDBACK, some SEND_BACK. "" stands for words that tell nothing,
// so that the other name of the state is asked.
var digitStatuses = []digitWords[domain.PublicStatus]{
	{[]string{"INWORKFLOW", "INACTIVE", "ACTIVE"}, ""},
	{[]string{"TOEMPLOYEE", "REASSIGN", "FEEDBACK", "VERIFIED"}, domain.StatusInProcess},
	{[]string{"SENTBACK", "SENDBACK", "BACKFROM", "CITIZENACTION", "CORRECTION", "RESUBMI"}, domain.StatusNeedsCorrection},
	{[]string{"PAYMENT", "FEE"}, domain.StatusWaitingPayment},
	{[]string{"VERIF", "SCRUTIN", "INSPECTION"}, domain.StatusVerification},
	{[]string{"INITIATED", "APPLIED", "SUBMITTED", "CREATED", "OPEN"}, domain.StatusReceived},
	{[]string{"INPROGRESS", "INPROCESS", "PENDING", "APPROVAL", "ASSIGN"}, domain.StatusInProcess},
}

// digitOutcomes tell the outcome of an end by its name.
var digitOutcomes = []digitWords[domain.Outcome]{
	{[]string{"PENDING", "INPROGRESS"}, ""},
	{[]string{"REJECT", "DECLINED", "DISAPPROV", "NOTAPPROV"}, domain.OutcomeRejected},
	{[]string{"CANCEL", "WITHDRAW"}, domain.OutcomeWithdrawn},
	{[]string{"APPROVED", "ACCEPTED", "ISSUED", "ACTIVATED"}, domain.OutcomeApproved},
	{[]string{"COMPLETED", "RESOLVED", "CLOSED", "DELIVERED", "EXECUTED", "REVOCATED", "VOIDED"}, domain.OutcomeClosed},
}

// digitRoles tell as what the roles act. They are compared with the words between
// the underscores of a role's name.
var digitRoles = []digitWords[[]domain.Capacity]{
	{[]string{"SYSTEM", "AUTO", "MICROSERVICE"}, []domain.Capacity{domain.CapacitySystem}},
	{[]string{"CEMP", "CSR", "CFC"}, []domain.Capacity{domain.CapacityCounter, domain.CapacityOfficer}},
	{
		[]string{
			"EMP", "EMPLOYEE", "ADMIN", "SUPERUSER", "APPROVER", "VERIFIER", "INSPECTOR", "CREATOR", "CHECKER", "ISSUER",
			"SANCTIONER", "SANC", "COLLECTOR", "CLERK", "OFFICER", "ZONALOFFICER", "COMMISSIONER", "CEO", "GRO", "DGRO", "LME",
		},
		[]domain.Capacity{domain.CapacityOfficer},
	},
	{[]string{"CITIZEN", "ANONYMOUS"}, []domain.Capacity{domain.CapacitySelf, domain.CapacityProxy}},
	{[]string{"ARCHITECT", "BUILDER"}, []domain.Capacity{domain.CapacityProfessional}},
}

// digitProfessions are professionals where they may submit, and staff where they
// may not: some cities have a town planner, in others one asks for a permit.
var digitProfessions = []string{"ENGINEER", "STRUCTURALENGINEER", "TOWNPLANNER", "SUPERVISOR", "DESIGNER", "RTP"}

// letters are those of a name, large.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, name)
}

// meaning looks a name up in a table.
func meaning[T any](table []digitWords[T], name string) (T, bool) {
	name = letters(name)
	for _, row := range table {
		if slices.ContainsFunc(row.words, func(w string) bool { return strings.Contains(name, w) }) {
			return row.means, true
		}
	}
	var none T
	return none, false
}

// digitOutcome is how a request ended in a state, and what says so: its name, or else its
// applicationStatus.
func digitOutcome(s *digitState) (o domain.Outcome, by string) {
	if o, ok := meaning(digitOutcomes, s.name); ok {
		return o, "name"
	}
	o, _ = meaning(digitOutcomes, s.status)
	return o, "applicationStatus"
}

// digitStatus is the word for the citizen, by applicationStatus and then by the
// name of the state.
func digitStatus(s *digitState) domain.PublicStatus {
	for _, name := range []string{s.status, s.name} {
		if p, ok := meaning(digitStatuses, name); ok && p != "" {
			return p
		}
	}
	return ""
}

// digitEnded is the word for the citizen when a request has ended.
var digitEnded = map[domain.Outcome]domain.PublicStatus{
	domain.OutcomeApproved:  domain.StatusApproved,
	domain.OutcomeRejected:  domain.StatusRejected,
	domain.OutcomeWithdrawn: domain.StatusWithdrawn,
	domain.OutcomeClosed:    domain.StatusCompleted,
}

// digitCapacities is as what a role acts; false where no word of it is known.
func digitCapacities(role string, submits bool) ([]domain.Capacity, bool) {
	words := strings.FieldsFunc(strings.ToUpper(role), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	has := func(list []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(list, w) })
	}
	for _, row := range digitRoles {
		if has(row.words) {
			return row.means, true
		}
	}
	if submits && has(digitProfessions) {
		return []domain.Capacity{domain.CapacityProfessional}, true
	}
	return []domain.Capacity{domain.CapacityOfficer}, false
}

// digitTitle is a name as people write: a capital and spaces.
func digitTitle(name string) workflows.Text {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("_-. ", r) })
	r := []rune(strings.Join(words, " "))
	if len(r) == 0 {
		return workflows.Text{ID: name, EN: name}
	}
	r[0] = unicode.ToUpper(r[0])
	return workflows.Text{ID: string(r), EN: string(r)}
}

// digitBudget is a time in the largest unit that holds it, rounded up to minutes.
// It is false for one that no definition has.
func digitBudget(ms int64) (b workflows.Budget, rounded, ok bool) {
	const minute, most = 60_000, 99_999
	minutes := (ms + minute - 1) / minute
	rounded = ms%minute != 0
	switch {
	case minutes%(24*60) == 0:
		b = workflows.Budget{Amount: int(minutes / (24 * 60)), Unit: "days"}
	case minutes%60 == 0:
		b = workflows.Budget{Amount: int(minutes / 60), Unit: "hours"}
	default:
		b = workflows.Budget{Amount: int(minutes), Unit: "minutes"}
	}
	return b, rounded, b.Amount <= most
}
