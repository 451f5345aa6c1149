namespace ResilientHosting.Performance;

/// <summary>From figures to places, along one axis.</summary>
/// <param name="Low">The figure at the beginning.</param>
/// <param name="High">The figure at the end.</param>
/// <param name="IsLogarithmic">Whether equal distances are equal ratios.</param>
internal sealed record Scale(double Low, double High, bool IsLogarithmic)
{
    /// <summary>A scale for these figures, with a round beginning. A linear one begins at zero, since lengths are compared.</summary>
    public static Scale Over(IReadOnlyCollection<double> figures, bool isLogarithmic)
    {
        if (!isLogarithmic)
        {
            return new Scale(0, figures.DefaultIfEmpty(1).Max() is var high and > 0 ? high : 1, isLogarithmic);
        }

        var positive = figures.Where(figure => figure > 0).DefaultIfEmpty(1).ToList();
        var low = Math.Pow(10, Math.Floor(Math.Log10(positive.Min())));
        return new Scale(low, Math.Max(positive.Max(), low * 10), isLogarithmic);
    }

    /// <summary>The place of a figure, from 0 at the beginning to 1 at the end.</summary>
    public double At(double figure) => Math.Clamp(
        IsLogarithmic ? figure <= 0 ? 0 : Math.Log(figure / Low) / Math.Log(High / Low) : (figure - Low) / (High - Low), 0, 1);

    /// <summary>The figures at which a reader wants a line.</summary>
    public IEnumerable<double> Ticks()
    {
        if (IsLogarithmic)
        {
            for (var tick = Low; tick <= High * 1.001; tick *= 10)
            {
                yield return tick;
            }

            yield break;
        }

        var step = Math.Pow(10, Math.Floor(Math.Log10(High)));
        step = (High / step) switch { < 2 => step / 4, < 5 => step / 2, _ => step };
        for (var tick = 0d; tick <= High * 1.001; tick += step)
        {
            yield return tick;
        }
    }
}
