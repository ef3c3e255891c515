"""Who said that a platform's own notice is switched off, and when."""
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('stores', '0004_mail_settings'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='mailsettings',
            name='switched_off_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='mailsettings',
            name='switched_off_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='mailsettings',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('switched_off_at__isnull', True), ('switched_off_by__isnull', True)), models.Q(('switched_off_at__isnull', False), ('switched_off_by__isnull', False)), _connector='OR'), name='who_switched_the_notice_off_says_when'),
        ),
    ]
