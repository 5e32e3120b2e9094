"""What the API says when all went well."""

MAIL_ON_ITS_WAY = "Si hay una cuenta con ese correo, en unos minutos te llega un mensaje con los pasos a seguir."
KEY_CHANGED = "Tu clave cambió. Las otras sesiones se cerraron."

SIGNED_UP = "Te enviamos un correo con los pasos para entrar. Si no lo ves, revisá la carpeta de correo no deseado."
