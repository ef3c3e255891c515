"""The outbox: when a mail is looked at next, how often it was tried, and what the mail server said."""
import django.db.models.deletion
import orders.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0004_tracking_page_token'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='customeremail',
            options={'ordering': ['id'], 'permissions': [('send_again', 'Can send a mail to a customer again')], 'verbose_name': 'mail to a customer', 'verbose_name_plural': 'mails to customers'},
        ),
        migrations.AddField(
            model_name='customeremail',
            name='actor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='customeremail',
            name='answer',
            field=models.CharField(blank=True, default='', help_text='What the mail server said, without addresses.', max_length=300),
        ),
        migrations.AddField(
            model_name='customeremail',
            name='attempts',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='customeremail',
            name='due_at',
            field=models.DateTimeField(help_text='When it is looked at next; empty once nothing is left to do.', null=True),
        ),
        migrations.AddField(
            model_name='customeremail',
            name='is_forced',
            field=models.BooleanField(default=False, help_text='A person sends it however old it is.'),
        ),
        migrations.AddField(
            model_name='customeremail',
            name='message_id',
            field=models.CharField(default=orders.models.new_message_id, editable=False, max_length=120),
        ),
        migrations.AlterField(
            model_name='customeremail',
            name='number',
            field=models.ForeignKey(db_index=False, help_text='The number it told, or would have told.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orders.trackingnumber'),
        ),
        migrations.AlterField(
            model_name='customeremail',
            name='state',
            field=models.CharField(choices=[('pending', 'Waiting to be sent'), ('held', 'Held back'), ('sending', 'Being sent'), ('sent', 'Sent'), ('by_store', 'Left to the store, which was asked to write'), ('unclear', 'May have been sent'), ('refused', 'Refused by the mail server'), ('skipped', 'Not sent')], default='pending', max_length=10),
        ),
        migrations.AddIndex(
            model_name='customeremail',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='mail_due'),
        ),
        migrations.AddIndex(
            model_name='customeremail',
            index=models.Index(condition=models.Q(('state', 'held')), fields=['shipment'], name='mail_held'),
        ),
        migrations.AddIndex(
            model_name='customeremail',
            index=models.Index(fields=['state', '-id'], name='mail_state'),
        ),
        migrations.AddConstraint(
            model_name='customeremail',
            constraint=models.CheckConstraint(condition=models.Q(('due_at__isnull', True), ('state__in', ['pending', 'held', 'sending']), _connector='OR'), name='only_an_open_mail_is_due'),
        ),
    ]
