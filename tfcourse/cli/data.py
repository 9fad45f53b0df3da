"""`tfcourse data`."""

EPILOG = "Example: tfcourse data"


def data():
    """List the data sets that come with tfcourse."""
    from rich.console import Console
    from rich.table import Table

    from tfcourse.data.bundled import describe

    table = Table(title="Bundled data sets", title_justify="left", box=None)
    for column, justify in {
        "name": "left",
        "examples": "right",
        "shape": "right",
        "classes": "right",
        "source": "left",
    }.items():
        table.add_column(column, justify=justify, no_wrap=column == "name")
    for row in describe():
        shape = " × ".join(map(str, row["shape"]))
        table.add_row(
            row["name"],
            f"{row['examples']:,}",
            shape,
            str(row["classes"]),
            row["source"],
        )
    console = Console()
    console.print(table)
    console.print(
        "\nUse one with `tfcourse tune --data NAME`, or a file of your own "
        "with `tfcourse tune --data FILE.csv --target COLUMN`.",
        highlight=False,
    )
