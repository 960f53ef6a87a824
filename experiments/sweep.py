"""The main job: `python -m experiments.sweep experiment=NAME [key=value ...]`; `--help` explains."""

import sys
import time


def main(arguments: list[str] | None = None) -> None:
    """Run a sweep; ends with a code other than zero if a cell failed.

    Args:
        arguments: of the command line.
    """
    from experiments import command_line, finished, help_page

    began = time.time()
    arguments = sys.argv[1:] if arguments is None else arguments
    if any(argument in ("--help", "-h") for argument in arguments):
        print(help_page.text())
        return
    if not arguments:
        raise command_line.ConfigurationError(
            "which sweep? give experiment=NAME, for example experiment=demo; --help explains"
        )
    command = command_line.read(arguments)
    if command.show:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(command.config, resolve=True))
        return
    told = None if command.dry_run else finished.said_before(command)
    if told is not None:
        print(told, end="")
        return
    from experiments.running import run

    code = run(command, arguments, began)
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
