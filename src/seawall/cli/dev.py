"""`seawall dev`: what helps to try Seawall without the outside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Stand-ins for others, to develop and to train with.", no_args_is_help=True)


@app.command("cybertip-double")
def cybertip_double(
    port: Annotated[int, typer.Option(help="Port on this machine.", min=0, max=65535)] = 8430,
    schema: Annotated[
        Path | None,
        typer.Option(
            "--schema", help="The authority's schema (GET /xsd), to validate by.", exists=True, dir_okay=False
        ),
    ] = None,
) -> None:
    """Answer as the CyberTipline's reporting API does, on this machine alone, until Ctrl-C. Nothing leaves it.

    It takes the account `test` with the password `test`, keeps reports in memory, lets unfinished ones expire, and
    shows faults on request: POST /double/faults, /double/advance, /double/release; GET /double/reports.

    Example: seawall dev cybertip-double --schema cyber_tipline.xsd
    """
    from seawall.reporting.double.books import Books
    from seawall.reporting.double.server import Double

    known = None if schema is None else schema.read_bytes()
    with Double(Books(schema), port=port, schema=known) as double:
        typer.echo("A double of the CyberTipline, for test data alone. Point Seawall at it with:")
        typer.echo(f"  SEAWALL_CYBERTIP_URL={double.address} SEAWALL_CYBERTIP_USERNAME=test")
        typer.echo("  and SEAWALL_CYBERTIP_PASSWORD=test")
        try:
            double.serve_forever()
        except KeyboardInterrupt:
            typer.echo("Stopped.")
