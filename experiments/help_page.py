"""The page that `--help` prints; it needs neither Hydra nor torch."""

from experiments.choices import choices_of

PAGE = """\
Deliver neural networks over a simulated radio link and measure how good they are when they arrive.

  python -m experiments.sweep experiment=NAME [key=value ...]

A sweep evaluates every combination of schemes, channels, SNRs and budgets, trains the networks that they need (each
once), and writes one row a combination to runs/NAME/results.parquet. Finished work is kept in a store: a sweep that
was interrupted, or is asked for more, goes on from there.

Examples
  python -m experiments.sweep experiment=demo
      the built-in digits, about two minutes
  python -m experiments.sweep experiment=snr dataset=cifar10 preset=cpu snr_db=[0,5,10]
      CIFAR-10 from the Hugging Face hub at three SNRs
  python -m experiments.sweep experiment=snr dataset=mine dataset.path=FOLDER scheme=[clean,noise] --dry-run
      images of your own; only say what would be done
  python -m experiments.sweep experiment=snr channel._target_=my_module.MyChannel channel.depth=3
      a channel of your own: a class with a method realize, and its arguments

What to compare
  experiment=        {experiment}
  scheme=[A,B]       {scheme},
                     and the variants of the experiment
  channel=[A,B]      {channel}
  dataset=           {dataset}, or any name of the hub; dataset.path=FOLDER for local files
  model=             {model} (each data set has a default)
  preset=            {preset}: how long networks are trained, and with how many threads

Axes, one value or a list
  snr_db=[0,5,10]            mean SNR per complex symbol, in dB
  channel_uses=[1x,0.5x,N]   bandwidth budget; 1x: what the unpruned model costs, sent analog
  knowledge=[average]        what the sender knows of the channel: none, average, instantaneous
  seeds=[0,1,2]              of training, channel and noise

  side_information=known     sent as fast as what the sender knows allows; fixed: 1/4 bit per channel use

Precision and speed
  realizations=16            independent deliveries of each combination
  train_snr_db=5             SNR that networks are trained at, or a range [0,20]; null leaves each scheme its own
  test_images=2000           a fixed part of the test images; null for all
  training.epochs=8          and the other hyperparameters of training and fine_tuning
  engine=                    {engine}; engine.workers=2
  device=cpu                 or cuda
  conformance=off            do not examine pieces of your own before any work; stands in the table
  store=runs/store           where finished work is kept; `python -m experiments.store list` looks into it
  hydra.run.dir=FOLDER       where the table goes

Options
  --dry-run                  print what would be done and how long it may take
  --show                     print the whole configuration; every key in it can be given as key=value, and every
                             other argument of the classes in it, for example scheme.airnet.teacher=null
  --config-dir FOLDER        configuration files of your own, in folders scheme/, channel/, experiment/ ...
  --help                     this page\
"""


def text() -> str:
    """The page, with the choices that there are."""
    groups = ("experiment", "scheme", "channel", "dataset", "model", "preset", "engine")
    hidden = ("own", "hub")
    return PAGE.format(**{group: ", ".join(c for c in choices_of(group) if c not in hidden) for group in groups})
