namespace ResilientHosting.Reloading;

/// <summary>Work of others on the files, in the middle of which no reload makes sense.</summary>
internal interface IWorkInProgress
{
    /// <summary>Says who is at work, as in "waiting: …"; null if nobody is.</summary>
    string? Find(DateTimeOffset now);
}
