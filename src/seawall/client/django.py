"""For Django: every uploaded file is asked about before a view sees it.

    MIDDLEWARE = [..., "seawall.client.django.SeawallMiddleware"]   # after AuthenticationMiddleware
    SEAWALL = {"URL": "https://seawall.example", "KEY": os.environ["API_KEY_OF_SEAWALL"]}

`SEAWALL` may also have PATHS (what the paths of uploads begin with), SURFACE and TIMEOUT_S. The account is the
primary key of who is logged in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig
from django.http import HttpRequest, HttpResponse

from seawall.client.asking import Client
from seawall.client.uploads import MALFORMED, METHODS, TOO_LARGE, Malformed, Refusal, Upload, parts_of, refusal_of


class SeawallMiddleware:
    """Has the files of each request judged, as Django itself reads them.

    Raises:
        ImproperlyConfigured: the setting SEAWALL is missing, or names no address and key.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        said: dict[str, Any] = getattr(settings, "SEAWALL", {})
        if not said.get("URL") or not said.get("KEY"):
            raise ImproperlyConfigured("SEAWALL must be a dict with URL and KEY.")
        self._get_response = get_response
        self._client = Client(said["URL"], said["KEY"], timeout_s=said.get("TIMEOUT_S", 60.0))
        self._paths = tuple(said.get("PATHS", ("/",)))
        self._surface = said.get("SURFACE", "upload")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """One request."""
        if request.method in METHODS and request.path.startswith(self._paths):
            refusal = self._refusal(request)
            if refusal is not None:
                return HttpResponse(refusal.body, status=refusal.status, content_type="application/json")
        return self._get_response(request)

    def _refusal(self, request: HttpRequest) -> Refusal | None:
        user = getattr(request, "user", None)
        account_id = str(user.pk) if user is not None and user.is_authenticated else None
        try:
            uploads = _uploads(request)
        except Malformed:
            return MALFORMED
        except RequestDataTooBig:
            return TOO_LARGE
        return refusal_of(
            self._client,
            uploads,
            account_id=account_id,
            uploader_ip=request.META.get("REMOTE_ADDR") or None,
            surface=self._surface,
        )


def _uploads(request: HttpRequest) -> list[Upload]:
    kind = request.content_type or ""
    if request.META.get("HTTP_CONTENT_ENCODING"):
        raise Malformed("it is compressed, and Django would not decompress it")
    if request.method == "POST" and kind == "multipart/form-data":
        found = []
        for _name, files in request.FILES.lists():
            for file in files:
                found.append(Upload(file.read(), file.name))
                file.seek(0)
        return found
    if kind == "application/x-www-form-urlencoded":
        return []
    return parts_of(request.META.get("CONTENT_TYPE", ""), request.body)
