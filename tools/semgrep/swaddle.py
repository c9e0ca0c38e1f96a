"""What each rule of swaddle.yaml must find (`ruleid`) and must leave alone (`ok`). Never run, only read."""


def sql(connection, index, name, marks):
    # ruleid: sql-is-written-never-built
    connection.execute(f"SELECT * FROM transfers WHERE id = '{name}'")
    # ruleid: sql-is-written-never-built
    index.row(f"SELECT * FROM {name}")
    # ruleid: sql-is-written-never-built
    connection.execute("SELECT * FROM transfers WHERE id = " + name)
    # ok: sql-is-written-never-built
    connection.execute("SELECT * FROM transfers WHERE id = ?", (name,))
    # ok: sql-is-written-never-built
    index.rows(f"SELECT * FROM transfers WHERE state IN ({marks})", *name)


def logs(log, value):
    try:
        work()
    except OSError as error:
        # ruleid: a-log-line-has-words-of-ours
        log.error("it failed: %s", error)
        # ruleid: a-log-line-has-words-of-ours
        log.error("it failed: %s", str(error))
        # ok: a-log-line-has-words-of-ours
        log.error("fault %s at %s", type(error).__name__, 12)
    # ruleid: a-log-line-has-words-of-ours
    log.info(f"took {value}")
    # ruleid: a-log-line-has-words-of-ours
    log.exception("oh")


def refusals(error, name):
    # ruleid: a-refusal-repeats-nothing
    raise Refusal("refused", reason=str(error))
    # ruleid: a-refusal-repeats-nothing
    raise Refusal("refused", reason=f"{name} is wrong")
    # ok: a-refusal-repeats-nothing
    raise Refusal("refused", reason="no body has that length")


def secrets_compared(message, expected, kept):
    # ruleid: a-secret-is-compared-in-constant-time
    if message.hmac == expected:
        return
    # ruleid: a-secret-is-compared-in-constant-time
    if kept.token != expected:
        return
    # ok: a-secret-is-compared-in-constant-time
    if message.state == "invited":
        return


def verification(context, ssl, asyncssh):
    # ruleid: verification-is-never-off
    context.check_hostname = False
    # ruleid: verification-is-never-off
    asyncssh.connect("host", known_hosts=None)
    # ok: verification-is-never-off
    context.check_hostname = True


def chance(random, secrets):
    # ruleid: chance-comes-from-the-system
    random.randbytes(16)
    # ok: chance-comes-from-the-system
    secrets.token_hex(16)


def paths(asked, entry, folder, _matched):
    # ruleid: a-name-from-outside-is-no-path
    open(asked.path_params["id"])
    # ruleid: a-name-from-outside-is-no-path
    folder / entry.name
    number = int(asked.path_params["number"])
    # ok: a-name-from-outside-is-no-path
    folder / f"{number:06d}.part"
    # ok: a-name-from-outside-is-no-path
    folder / _matched("[0-9a-f]{32}", asked.path_params["id"])


def programs(subprocess, os, name):
    # ruleid: what-can-be-run-is-a-list
    subprocess.run(["ls", name])
    # ruleid: what-can-be-run-is-a-list
    os.system(name)


def html(Markup, name):
    # ruleid: html-is-escaped
    return Markup(name)
