"""All settings, one file. Typed readers; a missing production secret stops the start."""

import gc
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

# What a start loads stays: to look through it for garbage again and again takes a quarter of the start.
# ConfigApp.ready() turns the collector on.
gc.disable()

BASE_DIR = Path(__file__).resolve().parent.parent


def text(name: str, default: str | None = None) -> str:
    """An environment value; without a default it must be there."""
    value = os.environ.get(name, default)
    if value is None:
        raise ImproperlyConfigured(
            f"{name} is not set. bin/run and bin/test set it; in production it is yours to set."
        )
    return value


def flag(name: str) -> bool:
    return os.environ.get(name, "") == "1"


def database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
    }


def mail(url: str) -> dict[str, object]:
    """What Django needs of smtp://, smtp+tls:// (STARTTLS) or smtps:// with user, password, host and port;
    file:///folder and console: keep the mail on this machine.
    """
    parts = urlsplit(url)
    backends = {"console": "console", "file": "filebased"}
    if parts.scheme not in ("smtp", "smtp+tls", "smtps", *backends):
        raise ImproperlyConfigured("EMAIL_URL must begin with smtp, smtp+tls, smtps, file or console.")
    ports = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
    return {
        "EMAIL_BACKEND": f"django.core.mail.backends.{backends.get(parts.scheme, 'smtp')}.EmailBackend",
        "EMAIL_FILE_PATH": unquote(parts.path),
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or ports.get(parts.scheme, 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }


# ── Who this process is ──────────────────────────────
ROLE = text("XUEJI_ROLE", "web")  # web, worker, beat or owner
DEBUG = flag("XUEJI_DEBUG")
DEMO = flag("XUEJI_DEMO")  # the development-only persona page and the demonstration country
UNDER_TEST = flag("XUEJI_TEST")  # fault points speak only here
VAR = Path(text("XUEJI_VAR", str(BASE_DIR / "var")))
SECRET_KEY = text("XUEJI_SECRET_KEY")
KEYRING = Path(text("XUEJI_KEYRING", str(VAR / "keys")))
# Backups, and the key that seals them: never in the same place (RE-6). PG_BIN: PostgreSQL's own programs.
BACKUPS = Path(text("XUEJI_BACKUPS", str(VAR / "backups")))
BACKUP_KEY = Path(text("XUEJI_BACKUP_KEY", str(KEYRING / "backup")))
PG_BIN = text("XUEJI_PG_BIN", "")
ORIGIN = text("XUEJI_ORIGIN", "http://127.0.0.1:8000")
IS_HTTPS = ORIGIN.startswith("https://")
VERSION = "0.1.0"

# ── Application ──────────────────────────────
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # the interactive page's own files: nothing comes from elsewhere
    "django_htmx",
    "allauth.account",  # its tables stay empty: the second factors need it, sign-in is ours
    "allauth.mfa",
    "allauth.idp.oidc",  # clients and tokens of receivers outside; of its routes only the token's is mounted
    "pgtrigger",
    "pghistory",
    "config",
    "audit",
    "accounts",
    "registry",
    "archives",
    "transfers",
    "exchange",
    "reports",
]
MIDDLEWARE = [
    "config.middleware.RequestId",
    "config.middleware.SecurityHeaders",
    "config.middleware.ChosenLanguage",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "accounts.devices.DeviceCookie",
    "accounts.middleware.LiveSignIn",
    "config.fence.Fence",
    "accounts.middleware.ActingOffice",
    "accounts.middleware.RequestTransaction",  # the innermost: everything a view does is inside
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ALLOWED_HOSTS = [urlsplit(ORIGIN).hostname or "127.0.0.1", "127.0.0.1", "localhost"]
if UNDER_TEST:
    ALLOWED_HOSTS.append("testserver")  # the name that the test client gives itself
CSRF_TRUSTED_ORIGINS = [ORIGIN]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.frame",
                "registry.context.seasons",
            ],
            "loaders": [
                (
                    "django.template.loaders.cached.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

# ── Database, queue ──────────────────────────────
_DATABASE_BY_ROLE = {
    "owner": "DATABASE_OWNER_URL",
    "worker": "DATABASE_WORKER_URL",
    "beat": "DATABASE_WORKER_URL",
}
DATABASES = {"default": database(text(_DATABASE_BY_ROLE.get(ROLE, "DATABASE_URL")))}
DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"]["CONN_HEALTH_CHECKS"] = (
    True  # after a restart of the server the pool's connections are dead
)
DATABASES["default"]["OPTIONS"] = (
    {"pool": {"min_size": 2, "max_size": 8, "timeout": 10}}
    if ROLE == "web" and not UNDER_TEST
    else {}  # the pool is torn down after every task in a worker; the test client needs one connection
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = text("REDIS_URL")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1200}
if ROLE == "web":
    # One try: the outbox row is what counts, and a clerk does not wait for a dead queue.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"max_retries": 0, "socket_connect_timeout": 1, "socket_timeout": 2}
CELERY_DB_REUSE_MAX = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# ── People ──────────────────────────────
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "accounts:sign_in"
LOGIN_REDIRECT_URL = "home"
PASSWORD_HASHERS = ["accounts.passwords.Argon2id"]
AUTH_PASSWORD_VALIDATORS = [{"NAME": "accounts.passwords.Rules"}]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]  # rights are computed in accounts.rights; the backend is not used
ANONYMOUS_USER_NAME = None
SESSION_COOKIE_NAME = "__Host-xueji" if IS_HTTPS else "xueji"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf" if IS_HTTPS else "csrf"
SESSION_COOKIE_AGE = 12 * 3600  # of a visitor; a sign-in ends at the hour that its rule fixes
# Second factors (AC-3). Sign-up, e-mail and reset by e-mail do not exist: none of their routes is mounted.
ACCOUNT_USER_MODEL_EMAIL_FIELD = None  # our accounts have none
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_RATE_LIMITS = False  # accounts.throttle counts in the database, for every way in
MFA_ADAPTER = "accounts.factor_adapter.FactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_TOLERANCE = 1  # one step of 30 seconds to either side
# Whose address counts for the throttle: the last proxy before us names it when we stand behind one.
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if IS_HTTPS else 0
CSRF_FAILURE_VIEW = "config.errorpages.csrf_failure"
# Receivers outside (AP-2): opaque tokens of ten minutes, secrets of 256 bits, nobody without a secret.
IDP_OIDC_ADAPTER = "exchange.oauth.Adapter"
IDP_OIDC_ACCESS_TOKEN_EXPIRES_IN = 600
IDP_OIDC_ACCESS_TOKEN_FORMAT = "opaque"  # noqa: S105
IDP_OIDC_AUTH_METHODS = ["client_secret_basic", "client_secret_post"]

# ── Notices by e-mail ──────────────────────────────
# Without an address of a mail server nothing is sent; the demonstration keeps its mail in a folder.
EMAIL_URL = text("EMAIL_URL", f"file://{VAR.absolute()}/mail" if DEMO else "")
MAIL_IS_ON = EMAIL_URL != ""
if MAIL_IS_ON:
    globals().update(mail(EMAIL_URL))
EMAIL_TIMEOUT = 10  # seconds: a pack of notices is locked meanwhile
DEFAULT_FROM_EMAIL = text("EMAIL_FROM", f"xueji@{urlsplit(ORIGIN).hostname}")

# ── Pages ──────────────────────────────
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_built"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = DEBUG or UNDER_TEST
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if UNDER_TEST
        else "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
    },
}
MEDIA_ROOT = VAR / "materials"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024  # a workbook of 20 MB and the form around it
# Never a temporary file: an upload would lie unencrypted on the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
# The proxy says how it was asked, and overwrites what a browser sends; else no answer would carry HSTS.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_HTTPS else None
SECURE_SSL_REDIRECT = IS_HTTPS  # whoever came past the proxy, or to its plain port
SECURE_REDIRECT_EXEMPT = ["^healthz$"]  # asked from the machine itself
SECURE_HSTS_SECONDS = 31536000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_HTTPS
SECURE_HSTS_PRELOAD = IS_HTTPS

# ── API ──────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.api.SessionOrNothing"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.HoldsRight"],
    "EXCEPTION_HANDLER": "accounts.api.refusal_handler",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.JSONBody"],
    "DEFAULT_SCHEMA_CLASS": "accounts.openapi.DescribedSchema",
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS would tell names of classes and their docstrings
    "URL_FORMAT_OVERRIDE": None,  # ?format= is an unknown parameter like any other
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "全国中小学生学籍管理接口",
    "DESCRIPTION": (
        "与页面同一套业务、同一套权限：看得到的范围由所选岗位决定，遮盖与留痕与页面相同。\n\n"
        "**登录**：以浏览器会话登录；除 GET 外须带 X-CSRFToken 请求头。\n\n"
        "**翻页**：列表给出 next，照此地址取下一页，直到为 null。不认识的参数一律拒绝。\n\n"
        "**幂等**：新建类请求必须带 Idempotency-Key，重试用同一个键，不会重复办理。\n\n"
        "**出错**：应答都是同一形式；不支持的方法得到 405，允许的方法见 Allow 应答头。"
    ),
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,  # docstrings speak to developers of this program
    "POSTPROCESSING_HOOKS": ["accounts.openapi.finish"],
    "SORT_OPERATION_PARAMETERS": False,
    "SERVE_PERMISSIONS": ["accounts.api.HoldsRight"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None, "docExpansion": "none"},
}

# ── History ──────────────────────────────
import pghistory  # noqa: E402  (its field classes are settings)
import pgtrigger  # noqa: E402

PGHISTORY_FIELD = pghistory.Field(null=True)
PGHISTORY_CONTEXT_FIELD = pghistory.ContextForeignKey(null=True)
# Not through PGHISTORY_DEFAULT_TRACKERS: those are deep-copied, and a copied level no longer equals Statement
# (tried).
PGHISTORY_LEVEL = pgtrigger.Statement
PGHISTORY_APPEND_ONLY = True

# ── Logs ──────────────────────────────
LOGGING_CONFIG = "config.logs.configure"
LOGGING = {"version": 1}  # Django calls LOGGING_CONFIG only when there is something here
