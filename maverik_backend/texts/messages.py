"""What the API says when all went well."""

SIGNED_UP = "Te enviamos un correo con los pasos para entrar. Si no lo ves, revisá la carpeta de correo no deseado."
