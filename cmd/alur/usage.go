package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is an error of the command line that is found only when something was
// read: exit code 2, as for those that are found before.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// misused says what a verb wants that was given too few or too many arguments; any
// other error of usage is told as it is.
func misused(verb *cobra.Command, err error) error {
	_, wants, _ := strings.Cut(verb.Use, " ")
	switch {
	case !strings.Contains(err.Error(), "arg(s)"): // the words of cobra
		return err
	case wants == "":
		return fmt.Errorf("%s takes no arguments", verb.CommandPath())
	}
	return fmt.Errorf("%s wants %s: %w", verb.CommandPath(), wants, err)
}

// wrongFlag says what a flag wants, where the library tells how its reading of numbers
// failed.
func wrongFlag(_ *cobra.Command, err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	flag := invalid.GetFlag()
	want := map[string]string{
		"uint64": "want a whole number, 0 or more", "int": "want a whole number", "float64": "want a number, such as 0.5",
		"intSlice": "want whole numbers, such as 1,64", "bool": "want true or false",
	}[flag.Value.Type()]
	switch {
	case errors.Is(err, strconv.ErrRange):
		want = "the number is too large"
	case want == "":
		return err
	}
	return fmt.Errorf("--%s %q: %s", flag.Name, invalid.GetValue(), want)
}

// emptyFlags refuses flags that a verb cannot do without and that were given nothing.
func emptyFlags(c *cobra.Command) error {
	var err error
	c.Flags().VisitAll(func(f *pflag.Flag) {
		_, required := f.Annotations[cobra.BashCompOneRequiredFlag]
		if required && f.Value.Type() == "string" && strings.TrimSpace(f.Value.String()) == "" {
			err = errors.Join(err, fmt.Errorf("--%s is empty", f.Name))
		}
	})
	return err
}
