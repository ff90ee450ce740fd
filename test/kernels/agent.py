"""In a guest: has guest.ts run at a device, and reports what it said, and what tc says before and after."""

import subprocess


def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    return done.stdout.strip() + done.stderr.strip()


with open("/mnt/programme") as programme, open("/mnt/report", "w") as report:
    files, words = programme.read().split("\n", 1)
    for file in files.split():
        run("busybox", "insmod", "/mnt/modules/" + file)
    run("ip", "tuntap", "add", "dev", "one", "mode", "tap")
    run("ip", "link", "set", "one", "up")
    report.write(run(*words.split()) + "\n")
    report.write(run("tc", "qdisc", "show", "dev", "one") + "\n")
    report.write("\nend\n")
