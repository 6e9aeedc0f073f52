package main

import (
	"time"

	"github.com/pquerna/otp/totp"
)

// totpCommand stands in for an authenticator app.
type totpCommand struct {
	Secret string `arg:"" help:"Secret of the authenticator, in base32."`
}

// Run implements the command.
func (cmd *totpCommand) Run(con *console) error {
	code, err := totp.GenerateCode(cmd.Secret, time.Now())
	if err == nil {
		con.printf("%s\n", code)
	}
	return err
}
