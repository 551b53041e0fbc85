"""The own profile: invite code, inviter, invitees."""
