"""Each race again with its protection taken out of a copy of the code: its test must then fail."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RACES = "tests/services/test_races.py"
LIVE = ".where(Challenge.id == challenge.id, codes.live(now, closed=closed))"
BOUND = " WHERE counters.n + :amount <= :limit"
COUNT = "    db.execute(update(User).where(User.id == owner_id).values(invitees_count=User.invitees_count + 1))\n"
PROTECTIONS = [
    (
        f"{RACES}::test_a_ring_of_three_at_once_leaves_two_inviters",
        "services/invites.py",
        [('        lock(db, "invites")\n', "")],
    ),
    (
        f"{RACES}::test_of_twenty_activations_by_one_user_one_stands",
        "services/invites.py",
        [
            ('        lock(db, "invites")\n', ""),
            ('        limits.take(db, "wrong-invites", str(user_id), now)\n', ""),
            (", User.inviter_id.is_(None), User", ", User"),
        ],
    ),
    (
        f"{RACES}::test_forty_invitees_at_once_are_all_counted",
        "services/invites.py",
        [
            ('        lock(db, "invites")\n', ""),
            (
                ".values(invitees_count=User.invitees_count + 1)",
                ".values(invitees_count=(db.scalar(select(User.invitees_count).where(User.id == owner_id)) or 0) + 1)",
            ),
        ],
    ),
    (
        f"{RACES}::test_of_two_who_confirm_one_number_at_once_one_has_it",
        "services/phones.py",
        [("    except IntegrityError:\n        return False\n", "    finally:\n        pass\n")],
    ),
    (
        f"{RACES}::test_whoever_signs_in_with_the_old_number_while_it_is_changed_does_not_stay",
        "services/accounts.py",
        [("found.with_for_update(read=True, key_share=True)", "found")],
    ),
    (
        f"{RACES}::test_a_deletion_beside_the_jobs_of_sms_ends",
        "services/statuses.py",
        [("in sorted(facts)", "in facts")],
    ),
    (
        f"{RACES}::test_a_deletion_beside_the_jobs_of_sms_ends",
        "services/batches.py",
        [("in sorted(batch)", "in batch")],
    ),
    (
        f"{RACES}::test_a_change_of_phone_beside_all_else_ends",
        "services/invites.py",
        [
            (
                COUNT,
                "",
            ),
            (
                '        raise Refused("inviter_already_set")\n    return True\n',
                f'        raise Refused("inviter_already_set")\n{COUNT}    return True\n',
            ),
        ],
    ),
    (
        f"{RACES}::test_a_deletion_and_a_sign_in_at_once_both_end",
        "services/users.py",
        [("with_for_update(key_share=True)", "with_for_update()")],
    ),
    (
        f"{RACES}::test_edits_at_once_leave_a_key_that_follows_all_of_them",
        "services/users.py",
        [(".with_for_update(key_share=True)", "")],
    ),
    (
        f"{RACES}::test_of_many_deletions_of_one_user_one_counts",
        "services/users.py",
        [("User.deleted_at.is_(None)).with_for_update(key_share=True)", "True)")],
    ),
    (
        f"{RACES}::test_forty_exchanges_of_one_code_make_one_session",
        "services/tries.py",
        [(LIVE, ".where(Challenge.id == challenge.id)")],
    ),
    (
        f"{RACES}::test_of_forty_guesses_three_are_compared",
        "services/tries.py",
        [(LIVE, ".where(Challenge.id == challenge.id)")],
    ),
    (
        f"{RACES}::test_twenty_first_sign_ins_of_one_phone_make_one_account",
        "services/accounts.py",
        [("            .on_conflict_do_nothing()\n", "")],
    ),
    (
        f"{RACES}::test_twenty_browsers_that_ask_for_one_phone_stay_within_its_sends",
        "services/limits.py",
        [(BOUND, "")],
    ),
    (f"{RACES}::test_of_forty_at_once_every_counter_lets_its_limit_through", "services/limits.py", [(BOUND, "")]),
    (
        f"{RACES}::test_twenty_requests_of_the_api_for_one_phone_send_one_code",
        "services/challenges.py",
        [("        line_up(db, phone_key(phone))\n", "")],
    ),
    (
        f"{RACES}::test_sixty_attackers_at_once_get_nine_guesses_at_one_phone",
        "services/challenges.py",
        [
            ("        line_up(db, phone_key(phone))\n", ""),
            ('            limits.take(db, "phone-sends", phone, now)\n', "            pass\n"),
        ],
    ),
    (
        f"{RACES}::test_guesses_at_forty_phones_at_once_stop_where_the_site_closes",
        "services/guesses.py",
        [
            (
                '    limits.add(db, "site-guesses", "", DAY, now)\n    site = of_site(db, now)\n',
                '    site = of_site(db, now)\n    limits.add(db, "site-guesses", "", DAY, now)\n',
            ),
            ("site._replace(today=site.today - 1, month=site.month - 1)", "site"),
        ],
    ),
    (
        f"{RACES}::test_of_twenty_first_users_at_once_one_is_admin",
        "services/accounts.py",
        # One stands behind the other, and the counters put sign-ins in a line.
        [(" AND n = 0", ""), (" AND NOT EXISTS (SELECT 1 FROM users WHERE id <> :user_id)", " AND :user_id > 0")],
    ),
    (
        f"{RACES}::test_of_forty_wrong_passwords_at_once_five_are_compared",
        "services/limits.py",
        [(BOUND, "")],
    ),
    (
        f"{RACES}::test_of_two_first_passwords_at_once_one_is_set",
        "services/admins.py",
        [(", User.password_hash.is_(None))", ")")],
    ),
    (f"{RACES}::test_forty_wrong_invite_codes_at_once_stop_at_ten", "services/limits.py", [(BOUND, "")]),
    (
        f"{RACES}::test_of_eight_senders_one_takes_each_message",
        "services/batches.py",
        [(".with_for_update(skip_locked=True)", "")],
    ),
    (
        f"{RACES}::test_a_code_posted_twice_at_once_ends_in_one_session",
        "services/accounts.py",
        [('        elif bound == "browser" and challenge_id is not None:', "        elif False:")],
    ),
    (
        f"{RACES}::test_two_tabs_that_refresh_at_once_leave_one_new_token",
        "services/sessions.py",
        [("Session.refresh_no == number, ", "")],
    ),
    (
        f"{RACES}",
        "db.py",
        [('session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})', "session.connection()")],
    ),
]


@pytest.mark.parametrize(
    ("race", "file", "changes"), PROTECTIONS, ids=[f"{r.split('::')[-1]}-{f}" for r, f, _ in PROTECTIONS]
)
def test_without_its_protection_the_race_is_lost(
    tmp_path: Path, race: str, file: str, changes: list[tuple[str, str]]
) -> None:
    for name in ("referral_app", "tests", "migrations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    for name in ("setup.cfg", "gunicorn.conf.py", "wsgi.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    path = tmp_path / "referral_app" / file
    code = path.read_text()
    for protection, without in changes:
        assert protection in code, "the protection reads otherwise by now"
        code = code.replace(protection, without)
    path.write_text(code)
    for attempt in range(1, 11):  # a race may be won by luck
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", race],
            cwd=tmp_path,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=180,
        )
        if run.returncode:
            lost = re.findall(r"^FAILED .*", run.stdout, re.M)
            assert lost, run.stdout[-2000:] + run.stderr[-2000:]
            print(f"\n{lost[0]}, at attempt {attempt}")
            return
    pytest.fail("the race holds without its protection: it proves nothing")
