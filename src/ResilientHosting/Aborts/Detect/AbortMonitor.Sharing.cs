namespace ResilientHosting.Aborts;

/// <content>Sharing: work that others depend on, whatever its own client does.</content>
internal sealed partial class AbortMonitor
{
    /// <summary>Whether the work's cancellation ended at its handler, so that no exception tells of it.</summary>
    public bool IsCut { get; private set; }

    /// <summary>Lets the work outlive its client where the policy would cancel it.</summary>
    public void FinishForOthers(HttpContext context)
    {
        if (_policy.Behavior != ClientAbortBehavior.Cancel)
        {
            return;
        }

        // An abort that is just being noticed may still go by the old policy: the work is cancelled then, as if it had come earlier.
        _client ??= _settings.ClientOf(context);
        _policy = ClientAbortPolicy.CacheFill;
        Work.Follow(_policy);
        Work.LinkTo(_requestTimeout);
    }

    public void WasCut()
    {
        IsCut = true;
        CorrectStatus();
    }
}
