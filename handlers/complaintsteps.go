package handlers

import (
	"github.com/gofiber/fiber/v2"

	"qingfu/directory"
)

// stepComplaint takes a step of the caller's side. Officials name the version that
// they have seen.
func (a *api) stepComplaint(c *fiber.Ctx, in *input, by directory.Side, action directory.ComplaintAction) error {
	b, ok := draft[struct {
		Text, Bureau, Region, Reference, Of, Want string
		Evidence                                  []string
		Event                                     *int
		Solved                                    *bool
	}](in)
	s := directory.ComplaintStep{
		Action: action, By: by, Text: b.Text, To: directory.Desk{Bureau: directory.Bureau(b.Bureau), Region: b.Region},
		Reference: b.Reference, Of: b.Of, Want: b.Want, Evidence: b.Evidence, Event: b.Event, Solved: b.Solved,
	}
	if ok {
		if err := in.refuseBy(s.Validate(a.Regions)); err != nil {
			return err
		}
	}
	k, err := a.complaintOf(c, in)
	if err == nil && by == directory.OfficialSide {
		err = requireMatch(in, complaintTag(&k))
	}
	if err != nil {
		return err
	}
	if k, err = a.Consumer.StepComplaint(c.UserContext(), in.caller, caseworkers, k.ID, len(k.History), s, in.client); err != nil {
		return err
	}
	return a.sendComplaint(c, in, k)
}

func (a *api) supplyComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.ResidentSide, directory.StepSupply)
}

func (a *api) withdrawComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.ResidentSide, directory.StepWithdraw)
}

func (a *api) reopenComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.ResidentSide, directory.StepReopen)
}

func (a *api) answerQuestionnaire(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.ResidentSide, directory.StepConfirm)
}

func (a *api) answerComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.BusinessSide, directory.StepAnswer)
}

func (a *api) acceptComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepAccept)
}

func (a *api) refuseComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepRefuse)
}

func (a *api) askComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepAsk)
}

func (a *api) transferComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepTransfer)
}

func (a *api) mediateComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepMediate)
}

func (a *api) resolveComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepResolve)
}

func (a *api) failComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepFail)
}

func (a *api) closeComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepClose)
}

func (a *api) handOverComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepHandOver)
}

func (a *api) markComplaintDuplicate(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepDuplicate)
}

func (a *api) redactComplaint(c *fiber.Ctx, in *input) error {
	return a.stepComplaint(c, in, directory.OfficialSide, directory.StepRedact)
}
