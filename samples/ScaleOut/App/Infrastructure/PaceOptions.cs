namespace ScaleOut.Infrastructure;

/// <summary>How slow the slow parts are.</summary>
internal sealed class PaceOptions
{
    public TimeSpan Report { get; set; } = TimeSpan.FromSeconds(1);

    public TimeSpan Payment { get; set; } = TimeSpan.FromSeconds(2);

    public bool IsValid => Report >= TimeSpan.Zero && Payment >= TimeSpan.Zero;
}
